import type { Caller } from '@tappaas/sdk';
import type { Tracing } from '../../kernel/tracing/tracer.js';
import { readTraceParent } from '../../kernel/tracing/trace-parent.js';
import type { RequestTracing, TracedRequest } from '../../ports/tracing.js';

export interface RequestTracingOptions {
  readonly tracing: Tracing;
  /** Fraction of requests that are traced, from 0 to 1. */
  readonly share: number;
  /** Whether the caller may request tracing of a request that is not in the sampled share. */
  readonly mayAsk: (caller: Caller) => boolean;
  readonly random: () => number;
}

/**
 * Makes request tracing. A request whose own trace is not sampled is never traced; one whose trace is sampled is traced if the caller may
 * request it; of all others, a random share is.
 */
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

/** The span name; one of few values, so that spans can be grouped by it. */
function nameOf({ method, path, verb, target }: TracedRequest): string {
  if (target === undefined) return `${method} /${path.split('/', 2)[1] ?? ''}`;
  const { kind, subresource } = target;
  return `${verb} ${kind.plural}${subresource === undefined ? '' : `/${subresource}`}`;
}

/** Attributes with the names of OpenTelemetry's conventions where they exist. */
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
