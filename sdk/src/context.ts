import type { Resources } from './resources.js';

/** Writes structured log lines that name the plugin; never log a secret. */
export type Logger = { readonly [L in 'debug' | 'info' | 'warn' | 'error']: (message: string, fields?: object) => void };

/** The only clock; virtual in tests. */
export interface Clock {
  /** Milliseconds since the epoch. */
  nowMs(): number;
  /** Resolves after `ms`; rejects with the signal's reason when it aborts. */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
}

/**
 * A cache: ≤ 64 KiB per value, ≤ 10,000 keys and 32 MiB per instance, beyond which the oldest entries are evicted; it may be emptied at any
 * time, and has no compare-and-swap. Data that must survive belongs in a kind.
 *
 * Scope `replica` belongs to this process and is lost with the instance. Scope `platform` is shared by all processes of this platform on a
 * machine and survives the end of any of them: operations are atomic, and an acknowledged one is visible to all. `get` looks in `replica`
 * first.
 *
 * @throws TAP_STATE_TOO_LARGE, TAP_PROCESS_FAILED when the process that holds the `platform` scope does not respond within a second
 */
export interface State {
  get(key: string): Promise<unknown>;
  delete(key: string): Promise<void>;
  set(key: string, value: unknown, options: { ttlMs: number; scope: 'replica' | 'platform' }): Promise<void>;
}

/** The context of every handler. */
export interface Context {
  /** Instance id of the plugin. */
  readonly plugin: string;
  readonly log: Logger;
  readonly clock: Clock;
  readonly state: State;
  /** Aborts at the deadline and at stop; every client in this context obeys it by itself. */
  readonly signal: AbortSignal;
  /** The smaller of this handler's limit and what is left of the whole request, in milliseconds. */
  remainingMs(): number;
  /**
   * The trace context of this call, as the value of the header `traceparent` of W3C Trace Context: send it with requests to other programs,
   * so that their work appears in the same trace. Absent when the request is not traced.
   */
  readonly traceparent?: string | undefined;
  /** Acts with the rights in `permissions`. When serving a request, prefer `asCaller`. */
  readonly asPlugin: Resources;
}

/**
 * Restricts the use of a credential: requests outside the scope are refused before any rule is evaluated, for administrators too. An
 * absent field does not restrict. Discovery and questions about the caller's own rights are inside every scope.
 */
export interface AccessScope {
  /** Namespaces of the platform's own engine; objects without a namespace and other engines are outside. */
  readonly namespaces?: readonly string[];
  /** Verbs as access reviews name them, such as `get`, `list` and `watch`. */
  readonly verbs?: readonly string[];
}

/** The credential that a request was made with; plugins that issue credentials bind them to it. */
export interface CallerCredential {
  /** The `credentialId` of `Identity`. */
  readonly id: string;
  /** Milliseconds since the epoch; absent when the credential does not expire. */
  readonly expiresAtMs?: number;
}

/**
 * The authenticated caller: name, groups and, for members of a tenant, the tenant; `scope` restricts the caller's rights. The platform adds
 * `credential` and `address`, the IP address that the connection came from (behind a proxy, the proxy's), also on an impersonated caller;
 * both are absent outside a request. `impersonator` is the name of the real caller that impersonates this one.
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

/** The context for serving a request, with or without an authenticated caller. */
export interface RouteContext extends Context {
  /** Id of the request; returned in the response, and recorded in logs and audit. */
  readonly requestId: string;
}

/** The context for serving a caller's request: `asCaller` has exactly the caller's rights. */
export interface RequestContext extends RouteContext {
  readonly asCaller: Resources;
  readonly caller: Caller;
}
