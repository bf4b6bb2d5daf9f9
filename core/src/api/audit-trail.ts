import type { Awaitable } from '@tappaas/sdk';
import type { Exchange } from './request/exchange.js';
import type { RequestInfo } from './request/request-info.js';
import type { Audit, AuditedOutcome, AuditedRequest, AuditedSubject, AuditTrail } from '../ports/audit.js';

/** Tells audit of a request as it stands after authentication. */
export function beginAudit(audit: Audit, exchange: Exchange): Awaitable<AuditTrail> {
  const { info, path, receivedAtMs } = exchange;
  return audit(auditedRequest(exchange, info, receivedAtMs, path.path, path.query));
}

/** What is done by one request besides others, such as a room of a socket or one read of a GraphQL operation. */
export interface AuditedPart {
  readonly info: RequestInfo;
  readonly beganAtMs: number;
  /** Where it would be found by itself. */
  readonly path: string;
  readonly query: string;
  /** The request is told, too. */
  readonly isPart?: true;
}

/** Tells audit of a part of a request: by the same caller, from the same place, under the same id. */
export function beginPart(audit: Audit, exchange: Exchange, { info, beganAtMs, path, query, isPart }: AuditedPart): Awaitable<AuditTrail> {
  const part = auditedRequest(exchange, info, beganAtMs, path, query);
  return audit(isPart === undefined ? part : { ...part, isPart });
}

function auditedRequest(exchange: Exchange, info: RequestInfo, receivedAtMs: number, path: string, query: string): AuditedRequest {
  const { request, requestId, identity } = exchange;
  return {
    requestId,
    receivedAtMs,
    method: request.method ?? '',
    path,
    query,
    engine: info.engine,
    verb: info.verb,
    target: info.target,
    caller: identity?.caller,
    remoteAddress: request.socket.remoteAddress ?? '',
    userAgent: request.headers['user-agent'] ?? '',
  };
}

/** Tells audit how the request ended. */
export function endAudit(trail: AuditTrail, exchange: Exchange, nowMs: number): Awaitable<void> {
  return trail.end(standing(exchange, statusOf(exchange), nowMs - exchange.receivedAtMs));
}

/** Tells audit that a stream has begun, which may end only in hours. */
export function noteStreamBegin(exchange: Exchange, status: number): void {
  exchange.trail?.streaming?.(standing(exchange, status, 0));
}

/** Notes which object a write was about. */
export function noteSubject(exchange: Exchange, object: object): void {
  exchange.subject = (object as { readonly metadata?: AuditedSubject }).metadata;
}

/** What audit says of a change that was only tried; the same word of REST, where the body may be what says so, and of GraphQL. */
export const dryRunAnnotation = 'tappaas.dev/dry-run';

export function noteDryRun(exchange: Exchange, dryRun: boolean): void {
  if (dryRun) exchange.annotations.set(dryRunAnnotation, 'true');
}

/** Keeps what came in and what goes out, where audit wants it. */
export function noteRequestBody(exchange: Exchange, body: Uint8Array): void {
  if ((exchange.trail?.wants ?? 'nothing') !== 'nothing') exchange.requestBody = body;
}

export function noteResponseBody(exchange: Exchange, body: Uint8Array | string): void {
  if (exchange.trail?.wants === 'both') exchange.responseBody = body;
}

/** 0: the client went away, or was cut off, before anything was sent. */
export function statusOf({ response, upgradeStatus }: Exchange): number {
  if (upgradeStatus !== undefined) return upgradeStatus;
  return response.headersSent ? response.statusCode : 0;
}

function standing(exchange: Exchange, status: number, durationMs: number): AuditedOutcome {
  const { errorCode, impersonated, decision, noted: annotations, subject, requestBody, responseBody } = exchange;
  return { status, durationMs, errorCode, impersonated, decision, annotations, subject, requestBody, responseBody };
}
