import type { Caller } from '@tappaas/sdk';
import type { Tracing } from '../../kernel/tracing/tracer.js';
import { readTraceParent } from '../../kernel/tracing/trace-parent.js';
import type { RequestTracing, TracedRequest } from '../../ports/tracing.js';

export interface RequestTracingOptions {
  readonly tracing: Tracing;
  /** Part of the requests that are traced, 0 to 1. */
  readonly share: number;
  /** Asked for a request that its trace keeps and the share does not. */
  readonly mayAsk: (caller: Caller) => boolean;
  readonly random: () => number;
}

/** Whoever asks within a trace of their own has said that it is not kept, or asked that it is; of all others a share is. */
export function createRequestTracing({ tracing, share, mayAsk, random }: RequestTracingOptions): RequestTracing {
  return {
    get isListened() {
      return tracing.isListened;
    },
    begin(request) {
      const parent = request.traceparent === undefined ? undefined : readTraceParent(request.traceparent);
      if (parent?.isSampled === false) return undefined;
      if (random() >= share && (parent === undefined || !mayAsk(request.caller))) return undefined;
      const span = tracing.begin(parent);
      return {
        traceId: span.traceId,
        run: (serve) => tracing.run(span, serve),
        end({ status, durationMs, errorCode }) {
          const { receivedAtMs: startMs } = request;
          const isFailed = status === 0 || status >= 500;
          span.end({
            name: nameOf(request),
            startMs,
            endMs: startMs + durationMs,
            attributes: { ...attributesOf(request), 'http.response.status_code': status, ...(errorCode && { 'error.type': errorCode }) },
            ...(isFailed && { error: errorCode ?? 'the request was not answered' }),
          });
        },
      };
    },
  };
}

/** One of few, so that spans can be gathered by it. */
function nameOf({ method, path, verb, target }: TracedRequest): string {
  if (target === undefined) return `${method} /${path.split('/', 2)[1] ?? ''}`;
  const { kind, subresource } = target;
  return `${verb} ${kind.plural}${subresource === undefined ? '' : `/${subresource}`}`;
}

/** Names as OpenTelemetry has them, where it has one. */
function attributesOf({ requestId, method, path, engine, verb, target }: TracedRequest): Readonly<Record<string, string>> {
  return {
    'http.request.method': method,
    'url.path': path,
    'tappaas.request.id': requestId,
    'tappaas.engine': engine,
    'tappaas.verb': verb,
    ...(target?.kind.group && { 'tappaas.group': target.kind.group }),
    ...(target?.namespace !== undefined && { 'k8s.namespace.name': target.namespace }),
  };
}
