import type { Caller } from '@tappaas/sdk';
import type { Target } from './engine.js';

/** A request as its trace tells of it. */
export interface TracedRequest {
  readonly requestId: string;
  /** The authenticated caller of the request, also when it impersonates another. */
  readonly caller: Caller;
  readonly receivedAtMs: number;
  readonly method: string;
  /** Without the query, which may hold credentials. */
  readonly path: string;
  readonly engine: string;
  readonly verb: string;
  readonly target?: Target;
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

/** A request that is traced: what plugins do while it is served is part of its span. */
export interface RequestSpan {
  readonly traceId: string;
  run<T>(serve: () => T): T;
  end(outcome: TracedOutcome): void;
}

/** Asked for every request of somebody known, as long as spans are listened to; answers nothing for one that is not traced. */
export interface RequestTracing {
  readonly isListened: boolean;
  begin(request: TracedRequest): RequestSpan | undefined;
}
