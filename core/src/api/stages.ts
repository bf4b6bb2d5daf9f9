/**
 * The stages before the engine, as functions that are handed in: the chain knows their order, not what they do. Later stages of
 * the platform (tokens, RBAC, fair queues, a hash-chained audit) replace what is behind a function, never its place.
 */
import type { AccessDecision, AccessRequest, Caller, Credentials, Identity } from '@tappaas/sdk';
import type { Target } from './engine-port.js';

/** Who is it? Nothing means that no authenticator knows the credential; throwing means that it is bad. */
export type Authenticate = (credentials: Credentials) => Identity | undefined | Promise<Identity | undefined>;

/** Selectors that a list or watch is given besides its own, so that it shows no more than the caller may see. */
export interface Narrowing {
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
}

/** What is allowed narrowed is answered narrowed, or not at all. */
export type Verdict = AccessDecision & { readonly narrowed?: Narrowing };

/** May they? Only `allow` lets a request pass. Only who sets `canNarrow` is ever allowed something narrowed. */
export type Authorize = (request: AccessRequest & { readonly canNarrow?: boolean }) => Verdict | Promise<Verdict>;

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

/** A request as its trace tells of it. */
export interface TracedRequest {
  readonly requestId: string;
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

/** A request that is traced: what plugins do while it is served is part of its span. */
export interface RequestSpan {
  readonly traceId: string;
  run<T>(serve: () => T): T;
  end(outcome: Pick<AuditedOutcome, 'status' | 'durationMs' | 'errorCode'>): void;
}

/** Asked for every request of somebody known, as long as spans are listened to; answers nothing for one that is not traced. */
export interface RequestTracing {
  readonly isListened: boolean;
  begin(request: TracedRequest): RequestSpan | undefined;
}

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
