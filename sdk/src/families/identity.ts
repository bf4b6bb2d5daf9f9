import type { Caller, Context } from '../context.js';
import type { NonResourceRule, ResourceRule } from '../kubernetes.js';
import type { Awaitable, Immutable, Strings } from '../values.js';

/** A certificate authority in the chain from a client certificate to its root; it has signed the certificate below it. */
export interface CertificateAuthority {
  readonly fingerprint256: string;
  /** Hexadecimal; the revocation list of the authority above contains it once revoked. */
  readonly serialNumber: string;
  /** Milliseconds since the epoch. */
  readonly notAfterMs: number;
  /** The certificate as PEM, since an intermediate authority that the client sent is in no file of the platform. */
  readonly certificate: string;
}

/** A client certificate whose signatures the listener has verified, up to an authority that an authenticator trusts. */
export interface ClientCertificate {
  /** Attributes of the subject, such as `CN` and `O`, each with all its values. */
  readonly subject: Readonly<Record<string, readonly string[]>>;
  /** Subject alternative names with their types: `DNS:a.example.com`, `URI:spiffe://a/b`, `email:joe@example.com`. */
  readonly subjectAltNames: readonly string[];
  readonly fingerprint256: string;
  /** Hexadecimal. */
  readonly serialNumber: string;
  /** The chain of authorities, beginning with the issuer. */
  readonly authorities: readonly CertificateAuthority[];
  /** Milliseconds since the epoch. */
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
}

/**
 * The credentials of a request as an authenticator sees them: the headers it lists in `reads` (lower-case names), the verified client
 * certificate and the peer's address.
 */
export interface Credentials {
  readonly headers: Strings;
  /** The separate values of headers that were sent more than once; present only with a client certificate, for front proxies. */
  readonly headerValues?: Readonly<Record<string, readonly string[]>>;
  readonly clientCertificate?: ClientCertificate;
  readonly remoteAddress: string;
  /** Audiences of which the token must be valid for at least one, as in a TokenReview; absent: the platform's API. */
  readonly audiences?: readonly string[];
}

/** An authenticated caller. The credential's id is how a revocation finds cached answers and open streams. */
export interface Identity {
  readonly caller: Caller;
  readonly credentialId: string;
  /** When the credential expires, in milliseconds since the epoch; its streams are closed then. */
  readonly expiresAtMs?: number;
  /** Those of the requested audiences that the token is valid for; absent for credentials that are for the platform's API alone. */
  readonly audiences?: readonly string[];
}

/**
 * Identifies the caller of a request. Authenticators are called in the configured order: returning undefined means that the credential is
 * not of this authenticator's type, throwing means that it is but is invalid.
 *
 * An answer is cached for at most 5 s (never beyond `expiresAtMs`) for requests with the same headers, certificate and address; requests
 * that arrive during the call wait for it. The credentials of open streams are checked again every 4 s, so an invalid credential stops
 * working everywhere within 10 s; report a revocation to `platformServices.credentials` to end it at once.
 *
 * Callers choose the input, so there is no circuit breaker: a credential on which the authenticator throws is refused, and no other.
 */
export interface Authenticator {
  /**
   * Lower-case names of the headers that the authenticator reads. It gets no others, and is not called for a request that has none of
   * them and no client certificate. Default: `authorization`.
   */
  readonly reads?: readonly string[];
  /**
   * PEM of the authorities whose client certificates the listener must verify; called at start, after a reload and every 2 s. The
   * authenticator also gets certificates of other authenticators' authorities: check `authorities` of the certificate.
   */
  clientAuthorities?(): string;
  /** Identifies the caller; undefined if the credential is of another type. @throws TAP_CREDENTIAL_INVALID, TAP_CREDENTIAL_EXPIRED */
  authenticate(credentials: Credentials, context: Context): Awaitable<Identity | undefined>;
}

/** Where a plugin reports that credentials it has accepted are no longer valid. */
export interface CredentialRegister {
  /**
   * Drops cached answers for these credential ids and ends their open streams; done in all processes of this platform when it resolves.
   * A process that does not respond, and platforms on other machines, notice within 10 s.
   */
  revoked(credentialIds: readonly string[]): Promise<void>;
}

/** A question to an authorizer, in the terms of Kubernetes' SubjectAccessReview. */
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
   * The platform's namespace whose roles govern the request: on the platform's engine the namespace of the object, on another engine the
   * one for which the namespace there was created. Absent for requests outside any namespace, and for namespaces that the platform did
   * not create.
   */
  readonly project?: string;
  /** The tenant that owns the namespace of the request. */
  readonly tenant?: string;
  /** Labels of the requested object, as stored now; present only for authorizers that set `readsLabels`. */
  readonly labels?: Strings;
  /**
   * Only grants in `project` itself count, cluster-wide grants do not: the caller has no tenant and the project is not the caller's.
   * Answers `allow` of authorizers that do not set `knowsProjects` are ignored then.
   */
  readonly isProjectOnly?: true;
  /**
   * No action follows the answer: it is for an access review, or for the check whether a stream may go on. Decide it like any other
   * question; authorizers that record or count what callers do must skip it.
   */
  readonly isReview?: true;
}

/** An authorizer's answer. All authorizers are asked: one `deny` overrides every `allow`; `allow` grants access if none denies. */
export interface AccessDecision {
  readonly decision: 'allow' | 'deny' | 'no-opinion';
  readonly reason: string;
}

/** Everything that a caller may do in a namespace. */
export interface AccessRules {
  readonly resourceRules: readonly Immutable<ResourceRule>[];
  readonly nonResourceRules: readonly Immutable<NonResourceRule>[];
  /** Why the caller may have more, or fewer, rights than listed; absent when the lists are complete. */
  readonly incomplete?: string;
}

/** A subject that is allowed to do something, and the grant that allows it. */
export interface AccessSubject {
  readonly kind: 'User' | 'Group' | 'ServiceAccount';
  readonly name: string;
  /** Namespace of a service account; absent for users and groups. */
  readonly namespace?: string;
  /** The grant, such as `RoleBinding team-a/developers of ClusterRole developer`. */
  readonly through: string;
  /** Namespace of the grant; absent when it holds everywhere. */
  readonly project?: string;
}

/**
 * Decides what a caller may do. It is called for every request, so answer synchronously where possible.
 *
 * Callers choose the input, so there is no circuit breaker: when the authorizer throws, that request is refused, and no other. Names in
 * the question are Unicode text of any length.
 */
export interface Authorizer {
  /** Whether the labels of objects must be looked up for this authorizer, which costs time in each request. Default false. */
  readonly readsLabels?: boolean;
  /** Whether the authorizer distinguishes grants in a project from cluster-wide grants, and obeys `isProjectOnly`. Default false. */
  readonly knowsProjects?: boolean;
  /**
   * Identity of the rule set: return a new object whenever any decision may have changed. While it is the same object, synchronous answers
   * may be cached and reused for equal questions, regardless of `isReview`. Leave it out, or return undefined for a while, if answers
   * depend on more than the question and the rule set (on time or labels), or if the authorizer records questions.
   */
  readonly revision?: object | undefined;
  authorize(request: AccessRequest): AccessDecision | Promise<AccessDecision>;
  /** Lists what the caller may do in a namespace, for SelfSubjectRulesReviews. Without it, such reviews are marked incomplete. */
  rules?(request: Pick<AccessRequest, 'caller' | 'engine' | 'project' | 'tenant' | 'isProjectOnly'>): AccessRules | Promise<AccessRules>;
  /** Lists the subjects that may do something; without it, grants of this authorizer are not listed. */
  subjects?(request: Omit<AccessRequest, 'caller'>): readonly AccessSubject[] | Promise<readonly AccessSubject[]>;
}
