import type { Awaitable } from '@tappaas/sdk';
import type { Exchange } from './exchange.js';
import type { Audit, AuditedSubject, AuditTrail } from './stages.js';

/** Tells audit of a request as it stands after authentication. */
export function beginAudit(audit: Audit, exchange: Exchange): Awaitable<AuditTrail> {
  const { request, info, path, identity } = exchange;
  return audit({
    requestId: exchange.requestId,
    receivedAtMs: exchange.receivedAtMs,
    method: request.method ?? '',
    path: path.path,
    query: path.query,
    engine: info.engine,
    verb: info.verb,
    target: info.target,
    caller: identity?.caller,
    remoteAddress: request.socket.remoteAddress ?? '',
    userAgent: request.headers['user-agent'] ?? '',
  });
}

/** Tells audit how the request ended. */
export function endAudit(trail: AuditTrail, exchange: Exchange, nowMs: number): Awaitable<void> {
  return trail.end({ ...standing(exchange), status: statusOf(exchange), durationMs: nowMs - exchange.receivedAtMs });
}

/** Tells audit that a stream has begun, which may end only in hours. */
export function noteStreamBegin(exchange: Exchange, status: number): void {
  exchange.trail?.streaming?.({ ...standing(exchange), status });
}

/** Notes which object a write was about. */
export function noteSubject(exchange: Exchange, object: object): void {
  exchange.subject = (object as { readonly metadata?: AuditedSubject }).metadata;
}

/** Keeps what came in and what goes out, where audit wants it. */
export function noteRequestBody(exchange: Exchange, body: Uint8Array): void {
  if ((exchange.trail?.wants ?? 'nothing') !== 'nothing') exchange.requestBody = body;
}

export function noteResponseBody(exchange: Exchange, body: Uint8Array | string): void {
  if (exchange.trail?.wants === 'both') exchange.responseBody = body;
}

/** 0: the client went away, or was cut off, before anything was sent. */
function statusOf({ response, upgradeStatus }: Exchange): number {
  if (upgradeStatus !== undefined) return upgradeStatus;
  return response.headersSent ? response.statusCode : 0;
}

function standing({ errorCode, impersonated, decision, noted, subject, requestBody, responseBody }: Exchange) {
  return { errorCode, impersonated, decision, annotations: noted, subject, requestBody, responseBody };
}
