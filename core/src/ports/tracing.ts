import type { Caller } from '@tappaas/sdk';
import type { Target } from './engine.js';

/** A request as seen by tracing. */
export interface TracedRequest {
  readonly requestId: string;
  /** The authenticated caller of the request, even when it impersonates another. */
  readonly caller: Caller;
  readonly receivedAtMs: number;
  readonly method: string;
  /** Without the query, which may contain credentials. */
  readonly path: string;
  readonly engine: string;
  readonly verb: string;
  readonly target?: Target;
  /** The `traceparent` header. */
  readonly traceparent?: string;
}

/** The result of a request. */
export interface TracedOutcome {
  /** 0 if there was no response. */
  readonly status: number;
  readonly durationMs: number;
  readonly errorCode?: string;
}

/** The span of a traced request; plugin calls while it is served are part of it. */
export interface RequestSpan {
  readonly traceId: string;
  run<T>(serve: () => T): T;
  end(outcome: TracedOutcome): void;
}

/** Called for every authenticated request while there are span listeners; returns undefined for a request that is not traced. */
export interface RequestTracing {
  readonly isListened: boolean;
  begin(request: TracedRequest): RequestSpan | undefined;
}
