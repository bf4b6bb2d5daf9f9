import type { Exchange } from './exchange.js';
import type { Audit, AuditTrail } from './stages.js';

/** Tells audit of a request as it stands after authentication. */
export function beginAudit(audit: Audit, exchange: Exchange): AuditTrail | Promise<AuditTrail> {
  const { request, info, identity } = exchange;
  return audit({
    requestId: exchange.requestId,
    receivedAtMs: exchange.receivedAtMs,
    method: request.method ?? '',
    path: exchange.path.path,
    engine: info.engine,
    verb: info.verb,
    ...(info.target !== undefined && { target: info.target }),
    ...(identity !== undefined && { caller: identity.caller }),
    remoteAddress: request.socket.remoteAddress ?? '',
    userAgent: request.headers['user-agent'] ?? '',
  });
}

export async function endAudit(trail: AuditTrail, exchange: Exchange, nowMs: number): Promise<void> {
  const { errorCode, impersonated } = exchange;
  await trail.end({
    status: exchange.response.statusCode,
    durationMs: nowMs - exchange.receivedAtMs,
    ...(errorCode !== undefined && { errorCode }),
    ...(impersonated !== undefined && { impersonated }),
  });
}
