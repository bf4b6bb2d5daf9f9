/** Signature algorithms that tokens may be signed with: asymmetric ones only. */
export type JwtAlgorithm = 'ES256' | 'ES384' | 'ES512' | 'RS256' | 'RS384' | 'RS512' | 'PS256' | 'PS384' | 'PS512' | 'EdDSA';

/** An issuer of tokens, and where its public keys are. All outbound calls: https, 5 s, 256 KiB, no redirects. */
export interface JwtIssuer {
  /** The exact value of the `iss` claim. */
  readonly issuer: string;
  /** URL of the key set; absent: as `{issuer}/.well-known/openid-configuration` says. */
  readonly jwksUrl?: string;
  /** PEM of the authorities to trust; absent: the system's. */
  readonly certificateAuthority?: string;
  /** Bearer token for `jwksUrl` and discovery, for issuers that show their keys only to authenticated callers. */
  readonly token?: string;
  /** Internal addresses and networks that the issuer's name, and hosts in its discovery document, may resolve to; see `OutboundRules`. */
  readonly allowedAddresses?: readonly string[];
  /** Accepted signature algorithms. Default: ES256 and RS256. */
  readonly algorithms?: readonly JwtAlgorithm[];
}

/** What the claims of a verified token must contain. */
export interface JwtRules {
  /** `aud` must contain one of these. */
  readonly audiences: readonly string[];
  /** The issuer; absent: the platform itself. */
  readonly issuer?: JwtIssuer;
}

/** The claims of a verified token; times in seconds since the epoch, as in the token. */
export type JwtClaims = Readonly<Record<string, unknown>> & {
  readonly iss: string;
  readonly aud: string | readonly string[];
  readonly exp: number;
  readonly sub?: string;
};

/** A cluster or another platform that is asked to identify the user of a token. */
export interface TokenReviewer {
  /** Base URL of its API, https. */
  readonly server: string;
  readonly certificateAuthority?: string;
  /** Internal addresses and networks that the server's name may resolve to; see `OutboundRules`. */
  readonly allowedAddresses?: readonly string[];
  /** Bearer token for the review request; its user needs `create` on `tokenreviews`. */
  readonly token: string;
}

/** The user of a token, as a TokenReview returns it. */
export interface ReviewedUser {
  readonly username: string;
  readonly uid?: string;
  readonly groups: readonly string[];
  readonly extra: Readonly<Record<string, readonly string[]>>;
}

/**
 * Signs and verifies JSON Web Tokens for plugins, so that the same rules apply everywhere: keys come only from the issuer's key set,
 * algorithms are listed explicitly, `exp` is required, clocks may differ by 60 s, and an issuer is asked for unknown keys at most every
 * 30 s.
 *
 * @source RFC 7519, RFC 8725
 */
export interface TokenService {
  /** The `iss` claim of tokens that `sign` issues; the keys are published at `{issuer}/openid/v1/jwks`. */
  issuer(): Promise<string>;
  /**
   * Signs a token with the platform's key; `iss`, `iat`, `nbf`, `exp` and `jti` are filled in. Needs the permission `identity.signs`.
   *
   * @throws TAP_PLUGIN_PERMISSION
   */
  sign(
    claims: Readonly<Record<string, unknown>>,
    options: { readonly lifetimeMs: number },
  ): Promise<{ readonly token: string; readonly expiresAtMs: number }>;
  /** Verifies signature and claims. @throws TAP_CREDENTIAL_INVALID, TAP_CREDENTIAL_EXPIRED, TAP_ISSUER_UNAVAILABLE */
  verify(token: string, rules: JwtRules): Promise<JwtClaims>;
  /**
   * Has another platform or cluster verify a token; undefined if the token is not valid there, or if `audiences` are given and the response
   * names none of them.
   *
   * @throws TAP_ISSUER_UNAVAILABLE
   */
  review(token: string, reviewer: TokenReviewer, audiences?: readonly string[]): Promise<ReviewedUser | undefined>;
}

/** Clock skew allowed when JSON Web Tokens are verified, in milliseconds. */
export const jwtSkewMs = 60_000;

/**
 * When a verified token ends, in milliseconds since the epoch: the `expiresAtMs` that an authenticator returns. It is later than `exp` by
 * the clock skew that `verify` allows: a token accepted because of the skew must not be expired already.
 */
export function jwtEndMs({ exp }: Pick<JwtClaims, 'exp'>): number {
  return exp * 1000 + jwtSkewMs;
}

const tokenCharsMax = 16_384;
const form = /^[A-Za-z0-9_-]+\.(?<payload>[A-Za-z0-9_-]+)\.[A-Za-z0-9_-]+$/;

/**
 * Reads the claimed issuer of a token without verifying anything, to find out whether an authenticator is responsible for it. Undefined if
 * the text is not a JSON Web Token or names no issuer.
 */
export function claimedIssuer(token: string): string | undefined {
  if (token.length > tokenCharsMax) return undefined;
  const payload = form.exec(token)?.groups?.['payload'];
  if (payload === undefined) return undefined;
  try {
    const binary = atob(payload.replaceAll('-', '+').replaceAll('_', '/'));
    const text = new TextDecoder().decode(Uint8Array.from(binary, (character) => character.charCodeAt(0)));
    const claims = JSON.parse(text) as { readonly iss?: unknown } | null;
    return typeof claims?.iss === 'string' ? claims.iss : undefined;
  } catch {
    return undefined;
  }
}
