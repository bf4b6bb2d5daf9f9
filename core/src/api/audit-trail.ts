import type { Awaitable } from '@tappaas/sdk';
import type { Exchange } from './request/exchange.js';
import type { RequestInfo } from './request/request-info.js';
import type { Audit, AuditedOutcome, AuditedRequest, AuditedSubject, AuditTrail } from '../ports/audit.js';

/** Begins the audit event of a request after authentication. */
export function beginAudit(audit: Audit, exchange: Exchange): Awaitable<AuditTrail> {
  const { info, path, receivedAtMs } = exchange;
  return audit(auditedRequest(exchange, info, receivedAtMs, path.path, path.query));
}

/** A part of a request that is audited separately, such as a room of a socket or one read of a GraphQL operation. */
export interface AuditedPart {
  readonly info: RequestInfo;
  readonly beganAtMs: number;
  /** Path of the equivalent request. */
  readonly path: string;
  readonly query: string;
  /** Set when the request itself is audited, too. */
  readonly isPart?: true;
}

/** Begins the audit event of a part of a request, with the same caller, address and id. */
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

/** Completes the audit event of a request. */
export function endAudit(trail: AuditTrail, exchange: Exchange, nowMs: number): Awaitable<void> {
  return trail.end(state(exchange, statusOf(exchange), nowMs - exchange.receivedAtMs));
}

/** Records that a stream began, because it may end only hours later. */
export function noteStreamBegin(exchange: Exchange, status: number): void {
  exchange.trail?.streaming?.(state(exchange, status, 0));
}

/** Notes the object that a write was about. */
export function noteSubject(exchange: Exchange, object: object): void {
  exchange.subject = (object as { readonly metadata?: AuditedSubject }).metadata;
}

/** Marks dry runs in audit events; REST and GraphQL use the same annotation, since the body may be the only other sign of it. */
export const dryRunAnnotation = 'tappaas.dev/dry-run';

export function noteDryRun(exchange: Exchange, dryRun: boolean): void {
  if (dryRun) exchange.annotations.set(dryRunAnnotation, 'true');
}

/** Keeps a body for the audit event, if the audit policy records it. */
export function noteRequestBody(exchange: Exchange, body: Uint8Array): void {
  if ((exchange.trail?.wants ?? 'nothing') !== 'nothing') exchange.requestBody = body;
}

export function noteResponseBody(exchange: Exchange, body: Uint8Array | string): void {
  if (exchange.trail?.wants === 'both') exchange.responseBody = body;
}

/** Returns the status of the answer; 0 when the client disconnected, or was cut off, before anything was sent. */
export function statusOf({ response, upgradeStatus }: Exchange): number {
  if (upgradeStatus !== undefined) return upgradeStatus;
  return response.headersSent ? response.statusCode : 0;
}

function state(exchange: Exchange, status: number, durationMs: number): AuditedOutcome {
  const { errorCode, impersonated, decision, noted: annotations, subject, requestBody, responseBody } = exchange;
  return { status, durationMs, errorCode, impersonated, decision, annotations, subject, requestBody, responseBody };
}
