import type { Tracing } from '../../kernel/tracing/tracer.js';
import { readTraceParent } from '../../kernel/tracing/trace-parent.js';

/** A request as its trace tells of it. */
export interface TracedRequest {
  readonly requestId: string;
  readonly receivedAtMs: number;
  readonly method: string;
  /** Without the query, which may hold credentials. */
  readonly path: string;
  readonly engine: string;
  readonly verb: string;
  readonly target?: {
    readonly kind: { readonly group: string; readonly plural: string };
    readonly namespace?: string;
    readonly subresource?: string;
  };
  /** The header of that name. */
  readonly traceparent?: string;
}

/** How it ended. */
export interface TracedOutcome {
  /** 0: never answered. */
  readonly status: number;
  readonly durationMs: number;
  readonly errorCode?: string;
}

/** A request that is traced. */
export interface RequestSpan {
  readonly traceId: string;
  run<T>(serve: () => T): T;
  end(outcome: TracedOutcome): void;
}

/** The stage of tracing. */
export interface RequestTracing {
  readonly isListened: boolean;
  begin(request: TracedRequest): RequestSpan | undefined;
}

export interface RequestTracingOptions {
  readonly tracing: Tracing;
  /** Part of the requests without a trace of their own that are traced, 0 to 1. */
  readonly share: number;
  readonly random: () => number;
}

/** Whoever asks within a trace of their own has said whether it is kept; of all others a share is. */
export function createRequestTracing({ tracing, share, random }: RequestTracingOptions): RequestTracing {
  return {
    get isListened() {
      return tracing.isListened;
    },
    begin(request) {
      const parent = request.traceparent === undefined ? undefined : readTraceParent(request.traceparent);
      if (!(parent?.isSampled ?? random() < share)) return undefined;
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
