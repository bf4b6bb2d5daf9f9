/**
 * The stages before the engine, passed as functions: the chain knows their order, not their implementations (tokens, RBAC, fair queues, a
 * hash-chained audit log).
 */
import type { Caller, Credentials, Identity } from '@tappaas/sdk';
import type { AccessQuestion, Verdict } from '../ports/access.js';

/** Identifies the caller. Undefined: no authenticator knows the credential; an error: the credential is invalid. */
export type Authenticate = (credentials: Credentials) => Identity | undefined | Promise<Identity | undefined>;

/** Authorizes a request; only `allow` lets it pass. */
export type Authorize = (request: AccessQuestion) => Verdict | Promise<Verdict>;

/** A request to flow control. */
export interface FlowRequest {
  readonly caller: Caller;
  readonly engine: string;
  readonly verb: string;
  /** Streams hold their seat for hours and have limits of their own. */
  readonly stream: boolean;
  /** Aborts when the client no longer waits for the answer; created on first access. */
  readonly signal: AbortSignal;
}

/** The size of a request, reported once it is known: bytes of the parsed body, how many of these are YAML, and keys of a written object. */
export interface Work {
  readonly bytes?: number;
  readonly yamlBytes?: number;
  readonly keys?: number;
}

/** A seat among the requests being served; must be released exactly once. */
export interface Seat {
  /** Headers of the answer, such as `RateLimit`. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Charges what a request costs beyond the minimum; it may continue when the promise resolves. */
  weigh?(work: Work): Promise<void> | undefined;
  release(): void;
}

/** Admits a request, possibly after a wait. Throws an error with status 429, `retryAfterMs` and the `RateLimit` headers as data if full. */
export type AdmitFlow = (request: FlowRequest) => Seat | Promise<Seat>;
