import { statusOf } from '../audit-trail.js';
import type { Exchange } from './exchange.js';
import type { RequestSpan, RequestTracing } from '../../ports/tracing.js';

/** Name of the audit annotation with the trace id. */
const annotation = 'trace.id';

/** Begins the span of a request, if it is traced, and adds its trace id to the audit event. */
export function beginTrace(tracing: RequestTracing | undefined, exchange: Exchange): RequestSpan | undefined {
  const { requestId, receivedAtMs, request, path, info } = exchange;
  const { engine, verb, target } = info;
  const traceparent = exchange.header('traceparent');
  const span = tracing?.begin({
    requestId,
    caller: exchange.authenticated,
    receivedAtMs,
    method: request.method ?? '',
    path: path.path,
    engine,
    verb,
    ...(target !== undefined && { target }),
    ...(traceparent !== undefined && { traceparent }),
  });
  exchange.span = span;
  if (span !== undefined) exchange.annotations.set(annotation, span.traceId);
  return span;
}

/** Ends the span of a request; that of a stream lasts as long as the stream. */
export function endTrace(exchange: Exchange, nowMs: number): void {
  const { errorCode, receivedAtMs } = exchange;
  exchange.span?.end({ status: statusOf(exchange), durationMs: nowMs - receivedAtMs, ...(errorCode !== undefined && { errorCode }) });
}
