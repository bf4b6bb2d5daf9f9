import type { AccessDecision, Caller } from '@tappaas/sdk';
import type { Target } from './engine.js';

/** A request as seen by audit; without a caller when authentication failed. */
export interface AuditedRequest {
  readonly requestId: string;
  readonly receivedAtMs: number;
  readonly method: string;
  readonly path: string;
  /** As received; values may be credentials. */
  readonly query: string;
  readonly engine: string;
  readonly verb: string;
  readonly target?: Target;
  readonly caller?: Caller;
  readonly remoteAddress: string;
  readonly userAgent: string;
  /** Set for one of several things that a request does, which is recorded separately. */
  readonly isPart?: true;
}

/** The object that was written. */
export interface AuditedSubject {
  readonly name?: string;
  readonly uid?: string;
  readonly resourceVersion?: string;
}

/** State of a request; `errorCode` is the permanent code of a refusal. */
export interface AuditedState {
  /** 0 if there was no response. */
  readonly status: number;
  readonly errorCode?: string;
  readonly impersonated?: Caller;
  /** Absent when the request did not reach access control. */
  readonly decision?: AccessDecision;
  /** Absent unless an object was written. */
  readonly subject?: AuditedSubject;
  /** Annotations of stages and handlers. */
  readonly annotations?: ReadonlyMap<string, string>;
  /** Present only where the trail wants bodies. */
  readonly requestBody?: Uint8Array;
  readonly responseBody?: Uint8Array | string;
}

/** The final state of a request. */
export interface AuditedOutcome extends AuditedState {
  readonly durationMs: number;
}

/** The audit trail of one request while it runs. */
export interface AuditTrail {
  /** Which bodies the trail needs; default: none. */
  readonly wants?: 'nothing' | 'request' | 'both';
  /** Called before the first byte of a stream. */
  streaming?(standing: AuditedState): void;
  end(outcome: AuditedOutcome): void | Promise<void>;
}

/**
 * Starts the audit trail of a request once authentication has succeeded or failed; the end is reported in every case, including 401, 403
 * and 429.
 * The request waits for the returned promise, so that a sink can be mandatory; throwing refuses the request.
 */
export type Audit = (request: AuditedRequest) => AuditTrail | Promise<AuditTrail>;
