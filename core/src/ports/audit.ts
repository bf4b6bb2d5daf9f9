import type { AccessDecision, Caller } from '@tappaas/sdk';
import type { Target } from './engine.js';

/** A request as audit sees it; without a caller when authentication has failed. */
export interface AuditedRequest {
  readonly requestId: string;
  readonly receivedAtMs: number;
  readonly method: string;
  readonly path: string;
  /** As it was sent; values in it may be credentials. */
  readonly query: string;
  readonly engine: string;
  readonly verb: string;
  readonly target?: Target;
  readonly caller?: Caller;
  readonly remoteAddress: string;
  readonly userAgent: string;
  /** Something that a request does besides other things, told by itself. */
  readonly isPart?: true;
}

/** The object that was written. */
export interface AuditedSubject {
  readonly name?: string;
  readonly uid?: string;
  readonly resourceVersion?: string;
}

/** How a request stands; `errorCode` is the permanent code of what was refused. */
export interface AuditedStanding {
  /** 0: never answered. */
  readonly status: number;
  readonly errorCode?: string;
  readonly impersonated?: Caller;
  /** Absent when the request did not come as far as access. */
  readonly decision?: AccessDecision;
  /** Absent unless an object was written. */
  readonly subject?: AuditedSubject;
  /** What stages and handlers have noted. */
  readonly annotations?: ReadonlyMap<string, string>;
  /** Only where the trail wants bodies. */
  readonly requestBody?: Uint8Array;
  readonly responseBody?: Uint8Array | string;
}

/** How it ended. */
export interface AuditedOutcome extends AuditedStanding {
  readonly durationMs: number;
}

/** What audit keeps of one request while it runs. */
export interface AuditTrail {
  /** Which bodies are to be told; default: nothing. */
  readonly wants?: 'nothing' | 'request' | 'both';
  /** A stream begins; told before its first byte. */
  streaming?(standing: AuditedStanding): void;
  end(outcome: AuditedOutcome): void | Promise<void>;
}

/**
 * Told of every request once it is known who asks, or that nobody does; its end is told in every case, so 401, 403 and 429 are too.
 * The request waits for what is returned, so that a sink may be made obligatory; throwing refuses the request.
 */
export type Audit = (request: AuditedRequest) => AuditTrail | Promise<AuditTrail>;
