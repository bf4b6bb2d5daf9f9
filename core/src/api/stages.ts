/**
 * The stages before the engine, as functions that are handed in: the chain knows their order, not what they do. Later stages of
 * the platform (tokens, RBAC, fair queues, a hash-chained audit) replace what is behind a function, never its place.
 */
import type { Caller, Credentials, Identity } from '@tappaas/sdk';
import type { AccessQuestion, Verdict } from '../ports/access.js';

/** Who is it? Nothing means that no authenticator knows the credential; throwing means that it is bad. */
export type Authenticate = (credentials: Credentials) => Identity | undefined | Promise<Identity | undefined>;

/** May they? Only `allow` lets a request pass. */
export type Authorize = (request: AccessQuestion) => Verdict | Promise<Verdict>;

/** What flow control is asked. */
export interface FlowRequest {
  readonly caller: Caller;
  readonly engine: string;
  readonly verb: string;
  /** Streams hold their seat for hours and are counted apart. */
  readonly stream: boolean;
  /** Aborts when nobody waits for the answer any more; made when it is asked for. */
  readonly signal: AbortSignal;
}

/** What a request turns out to be, once that is known: bytes of a body that is understood, those that are YAML, keys of an object that is written. */
export interface Work {
  readonly bytes?: number;
  readonly yamlBytes?: number;
  readonly keys?: number;
}

/** A place among the requests being served; to be given back exactly once. */
export interface Seat {
  /** Sent with the answer, such as `RateLimit`. */
  readonly headers?: Readonly<Record<string, string>>;
  /** What a request costs beyond what each costs; it goes on when the promise resolves. */
  weigh?(work: Work): Promise<void> | undefined;
  release(): void;
}

/** Is there room for it? It may take a while; throws an error with status 429, `retryAfterMs` and the `RateLimit` headers as data when not. */
export type AdmitFlow = (request: FlowRequest) => Seat | Promise<Seat>;
