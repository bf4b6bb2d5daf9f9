import type { Caller, Context } from '../context.js';
import type { Strings } from '../values.js';

/** What an authenticator may look at: headers (names lower-case), the verified client certificate and the peer's address. */
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

/** Proves who a caller is. Asked in configured order: nothing means the credential is not of its sort, throwing means it is and is bad. */
export interface Authenticator {
  /** @throws TAP_CREDENTIAL_INVALID, TAP_CREDENTIAL_EXPIRED */
  authenticate(credentials: Credentials, context: Context): Promise<Identity | undefined>;
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
