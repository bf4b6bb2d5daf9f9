import type { Caller, Context } from '../context.js';
import type { NonResourceRule, ResourceRule } from '../kubernetes.js';
import type { Awaitable, Immutable, Strings } from '../values.js';

/** An authority on the way from a client certificate to its root; the one below it bears its signature. */
export interface CertificateAuthority {
  readonly fingerprint256: string;
  /** Hexadecimal; on the list of the authority above once that has revoked it. */
  readonly serialNumber: string;
  /** Milliseconds since the epoch. */
  readonly notAfterMs: number;
  /** PEM: an authority that the client has sent stands in nobody's files. */
  readonly certificate: string;
}

/** A client certificate whose signatures the listener has verified, up to an authority that somebody trusts. */
export interface ClientCertificate {
  /** Parts of the subject, such as `CN` and `O`, each with every value it has. */
  readonly subject: Readonly<Record<string, readonly string[]>>;
  /** With their types: `DNS:a.example.com`, `URI:spiffe://a/b`, `email:joe@example.com`. */
  readonly subjectAltNames: readonly string[];
  readonly fingerprint256: string;
  /** Hexadecimal. */
  readonly serialNumber: string;
  /** The authorities on the way up, the one that issued it first. */
  readonly authorities: readonly CertificateAuthority[];
  /** Milliseconds since the epoch. */
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
}

/**
 * What an authenticator may look at: the headers that it says it reads (names lower-case), the verified client certificate and the peer's
 * address.
 */
export interface Credentials {
  readonly headers: Strings;
  /** Headers sent more than once, value by value; there only with a client certificate, for front proxies. */
  readonly headerValues?: Readonly<Record<string, readonly string[]>>;
  readonly clientCertificate?: ClientCertificate;
  readonly remoteAddress: string;
  /** For whom a token has to be good, as a TokenReview asks; absent: the platform's API. */
  readonly audiences?: readonly string[];
}

/** An authenticated caller; the credential's id lets revocation reach caches and open streams. */
export interface Identity {
  readonly caller: Caller;
  readonly credentialId: string;
  /** Milliseconds since the epoch; streams are closed then. */
  readonly expiresAtMs?: number;
  /** For which of the audiences that were asked about the token is; absent where a credential is for the platform's API alone. */
  readonly audiences?: readonly string[];
}

/**
 * Proves who a caller is. Asked in configured order: nothing means the credential is not of its sort, throwing means it is and is bad.
 *
 * An answer is remembered for at most 5 s (never beyond `expiresAtMs`) for requests with the same headers, certificate and address, and
 * requests that come meanwhile wait for the one call. Open streams are asked about again every 4 s, so what is no longer good ends
 * everywhere within 10 s; `platformServices.credentials` tells of it at once.
 *
 * Callers choose what it is shown, so no breaker stands around it: a credential on which it throws is refused, and no other one.
 */
export interface Authenticator {
  /**
   * Names of the headers it looks at, lower-case; it is shown no others, and a request that has none of them and no certificate is not
   * asked about. Default: `authorization`.
   */
  readonly reads?: readonly string[];
  /**
   * PEM of the authorities whose client certificates the listener is to verify; asked at start, after a reload and every 2 s. Certificates
   * of other authenticators' authorities are shown too: look at `authorities` of the certificate.
   */
  clientAuthorities?(): string;
  /** @throws TAP_CREDENTIAL_INVALID, TAP_CREDENTIAL_EXPIRED */
  authenticate(credentials: Credentials, context: Context): Awaitable<Identity | undefined>;
}

/** Where a plugin tells that credentials it answered for are no longer good. */
export interface CredentialRegister {
  /**
   * Forgets what was remembered of these credential ids and ends their open streams, in all processes of this platform when it resolves;
   * one of them that does not answer, and platforms on other machines, find out within 10 s.
   */
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
  /**
   * The platform's namespace whose roles govern the request: on the platform's engine that of the object, on another engine the one for
   * which the namespace there was made. Absent for what lies in no namespace, and for namespaces that the platform has not made.
   */
  readonly project?: string;
  /** The tenant that owns this namespace. */
  readonly tenant?: string;
  /** Labels of the one object that is asked about, as it is stored now; only for authorizers that say `readsLabels`. */
  readonly labels?: Strings;
  /**
   * Only what is granted in `project` itself counts, not what is granted everywhere: the caller is of no tenant and the project is not
   * the caller's. Authorizers that do not say `knowsProjects` allow nothing then, whatever they answer.
   */
  readonly isProjectOnly?: true;
  /**
   * Nothing is done upon the answer: somebody wants to know what somebody may, or whether a stream may still go on. It is decided like
   * any other; authorizers that record or count what people do leave it out.
   */
  readonly isReview?: true;
}

/** An authorizer's answer. Each is asked: one `deny` refuses whoever else allows, `allow` passes when nobody denies. */
export interface AccessDecision {
  readonly decision: 'allow' | 'deny' | 'no-opinion';
  readonly reason: string;
}

/** Everything that a caller may do at a place. */
export interface AccessRules {
  readonly resourceRules: readonly Immutable<ResourceRule>[];
  readonly nonResourceRules: readonly Immutable<NonResourceRule>[];
  /** Why there may be more, or less, than is listed; absent when the lists are complete. */
  readonly incomplete?: string;
}

/** Somebody who may do something, and what gives it to them. */
export interface AccessSubject {
  readonly kind: 'User' | 'Group' | 'ServiceAccount';
  readonly name: string;
  /** Of a service account. */
  readonly namespace?: string;
  /** Such as `RoleBinding team-a/developers of ClusterRole developer`. */
  readonly through: string;
  /** Namespace of what gives it; absent when it holds everywhere. */
  readonly project?: string;
}

/**
 * Decides what a caller may do. Synchronous when it can: it is asked for every request.
 *
 * Callers choose what it is asked about, so no breaker stands around it: a question on which it throws is refused to who asks, and nobody
 * else. Names in it are Unicode text of any length.
 */
export interface Authorizer {
  /** Whether the labels of objects are to be looked up for it, which costs each request. Default false. */
  readonly readsLabels?: boolean;
  /** Whether it tells what is granted in a project from what is granted everywhere, and obeys `isProjectOnly`. Default false. */
  readonly knowsProjects?: boolean;
  /**
   * Another object as soon as any answer may be another one than before. Answers that are given at once may then be given again to the same
   * question without asking, as long as this is the same object; `isReview` makes no other question. Leave it out, or answer nothing for a
   * while, where answers depend on more than the question and what this stands for (the time, labels), or where asking is recorded.
   */
  readonly revision?: object | undefined;
  authorize(request: AccessRequest): AccessDecision | Promise<AccessDecision>;
  /** Lists what it allows in a namespace, for reviews of rules. Without it, such reviews say that they are incomplete. */
  rules?(request: Pick<AccessRequest, 'caller' | 'engine' | 'project' | 'tenant' | 'isProjectOnly'>): AccessRules | Promise<AccessRules>;
  /** Lists who may do something; without it the authorizer grants nothing that could be listed. */
  subjects?(request: Omit<AccessRequest, 'caller'>): readonly AccessSubject[] | Promise<readonly AccessSubject[]>;
}
