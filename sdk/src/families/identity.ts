import type { Caller, Context } from '../context.js';
import type { Awaitable, Strings } from '../values.js';

/**
 * What an authenticator may look at: the headers that it says it reads (names lower-case), the verified client certificate and the peer's
 * address.
 */
export interface Credentials {
  readonly headers: Strings;
  readonly clientCertificate?: { readonly subject: Strings; readonly subjectAltNames: readonly string[]; readonly fingerprint256: string };
  readonly remoteAddress: string;
}

/** An authenticated caller; the credential's id lets revocation reach caches and open streams. */
export interface Identity {
  readonly caller: Caller;
  readonly credentialId: string;
  /** Milliseconds since the epoch; streams are closed then. */
  readonly expiresAtMs?: number;
}

/**
 * Proves who a caller is. Asked in configured order: nothing means the credential is not of its sort, throwing means it is and is bad.
 *
 * An answer is remembered for at most 5 s (never beyond `expiresAtMs`) for requests with the same headers, certificate and address, and
 * requests that come meanwhile wait for the one call. Open streams are asked about again every 4 s, so what is no longer good ends
 * everywhere within 10 s; `platformServices.credentials` tells of it at once.
 */
export interface Authenticator {
  /**
   * Names of the headers it looks at, lower-case; it is shown no others, and a request that has none of them and no certificate is not
   * asked about. Default: `authorization`.
   */
  readonly reads?: readonly string[];
  /** @throws TAP_CREDENTIAL_INVALID, TAP_CREDENTIAL_EXPIRED */
  authenticate(credentials: Credentials, context: Context): Awaitable<Identity | undefined>;
}

/** Where a plugin tells that credentials it answered for are no longer good. */
export interface CredentialRegister {
  /** Forgets what was remembered of these credential ids and ends their open streams; other replicas find out within 10 s. */
  revoked(credentialIds: readonly string[]): Promise<void>;
}

/** What is asked of an authorizer, in the terms of Kubernetes' SubjectAccessReview. */
export interface AccessRequest {
  readonly caller: Caller;
  readonly engine: string;
  readonly verb: string;
  readonly resource?: {
    readonly group: string;
    readonly version: string;
    readonly plural: string;
    readonly subresource?: string;
    readonly namespace?: string;
    readonly name?: string;
  };
  /** For requests that are not about objects, such as `/metrics`. */
  readonly path?: string;
}

/** An authorizer's answer; `deny` ends the matter, `no-opinion` asks the next one. */
export interface AccessDecision {
  readonly decision: 'allow' | 'deny' | 'no-opinion';
  readonly reason: string;
}

/** Decides what a caller may do. Synchronous when it can: it is asked for every request. */
export interface Authorizer {
  authorize(request: AccessRequest): AccessDecision | Promise<AccessDecision>;
}
