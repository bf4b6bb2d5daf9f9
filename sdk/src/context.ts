import type { Resources } from './resources.js';

/** Writes structured log lines that name the plugin; never put a secret in. */
export type Logger = { readonly [L in 'debug' | 'info' | 'warn' | 'error']: (message: string, fields?: object) => void };

/** The only clock; virtual in tests. */
export interface Clock {
  /** Milliseconds since the epoch. */
  nowMs(): number;
  /** Resolves after `ms`; rejects with the signal's reason when it aborts. */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
}

/**
 * A cache: ≤ 64 KiB a value, ≤ 10,000 keys and 32 MiB an instance, beyond which the oldest go; may be emptied at any time, no
 * compare-and-swap. What must survive is a kind.
 *
 * Scope `replica` is this process's, and gone with the instance. Scope `platform` is one for all processes of this platform on a machine,
 * whichever of them ends: each operation is done as a whole, and what one was told is done, everybody sees. A key is looked for in
 * `replica` first.
 *
 * @throws TAP_STATE_TOO_LARGE, TAP_PROCESS_FAILED when the process that keeps the platform's does not answer within a second
 */
export interface State {
  get(key: string): Promise<unknown>;
  delete(key: string): Promise<void>;
  set(key: string, value: unknown, options: { ttlMs: number; scope: 'replica' | 'platform' }): Promise<void>;
}

/** What every handler is given. */
export interface Context {
  /** Instance id of the plugin. */
  readonly plugin: string;
  readonly log: Logger;
  readonly clock: Clock;
  readonly state: State;
  /** Aborts at the deadline and at stop; every client here obeys it by itself. */
  readonly signal: AbortSignal;
  /** The smaller of this handler's limit and what is left of the whole request, in milliseconds. */
  remainingMs(): number;
  /**
   * Where this call stands in the trace of the request that it serves, as the header `traceparent` of W3C Trace Context: send it with
   * requests to other programs, so that what they do appears in the same trace. Absent when the request is not traced.
   */
  readonly traceparent?: string | undefined;
  /** Acts with the rights in `permissions`. When serving a request, prefer `asCaller`. */
  readonly asPlugin: Resources;
}

/**
 * Narrows what a credential is good for: outside of it everything is refused before any rule is asked, to administrators too. What is
 * absent does not narrow. Discovery and questions about oneself lie inside of every scope.
 */
export interface AccessScope {
  /** Namespaces of the platform's own engine; objects of no namespace and other engines lie outside. */
  readonly namespaces?: readonly string[];
  /** Verbs as access reviews name them, such as `get`, `list` and `watch`. */
  readonly verbs?: readonly string[];
}

/** The credential that a request was made with: what plugins that hand out credentials tie theirs to. */
export interface CallerCredential {
  /** As `Identity` has it. */
  readonly id: string;
  /** Milliseconds since the epoch; absent when it has no end. */
  readonly expiresAtMs?: number;
}

/**
 * Who asks, as authentication found them: name, groups and, for a tenant's people, the tenant; `scope` narrows what they may. The platform
 * adds `credential` and `address`, the IP address that the connection came from (of a proxy, its own), also to whom somebody acts as; they are
 * absent where no request is. `impersonator` is the name of who acts as this caller.
 */
export type Caller = Readonly<{
  name: string;
  groups: readonly string[];
  tenant?: string;
  scope?: AccessScope;
  credential?: CallerCredential;
  address?: string;
  impersonator?: string;
}>;

/** Serving a request, whoever sent it. */
export interface RouteContext extends Context {
  /** Told in the answer, in logs and in audit. */
  readonly requestId: string;
}

/** Serving somebody's request: `asCaller` has exactly the caller's rights. */
export interface RequestContext extends RouteContext {
  readonly asCaller: Resources;
  readonly caller: Caller;
}
