/** Signature algorithms that tokens may be signed with: asymmetric ones only. */
export type JwtAlgorithm = 'ES256' | 'ES384' | 'ES512' | 'RS256' | 'RS384' | 'RS512' | 'PS256' | 'PS384' | 'PS512' | 'EdDSA';

/** Somebody who signs tokens, and where the public keys are. All outbound calls: https, 5 s, 256 KiB, no redirects. */
export interface JwtIssuer {
  /** What `iss` must be, to the letter. */
  readonly issuer: string;
  /** Where the keys are; absent: where `{issuer}/.well-known/openid-configuration` says. */
  readonly jwksUrl?: string;
  /** PEM of the authorities to trust; absent: the system's. */
  readonly certificateAuthority?: string;
  /** Sent to `jwksUrl` and discovery, for issuers that show their keys to callers they know only. */
  readonly token?: string;
  /** Inner addresses and networks that its name, and hosts that its discovery document names, may lead to; see `OutboundRules`. */
  readonly allowedAddresses?: readonly string[];
  /** Default: ES256 and RS256. */
  readonly algorithms?: readonly JwtAlgorithm[];
}

/** What a verified token must say. */
export interface JwtRules {
  /** `aud` must name one of them. */
  readonly audiences: readonly string[];
  /** Absent: the platform itself. */
  readonly issuer?: JwtIssuer;
}

/** The claims of a verified token; times in seconds since the epoch, as in the token. */
export type JwtClaims = Readonly<Record<string, unknown>> & {
  readonly iss: string;
  readonly aud: string | readonly string[];
  readonly exp: number;
  readonly sub?: string;
};

/** A cluster or another platform that is asked whose a token is. */
export interface TokenReviewer {
  /** Base URL of its API, https. */
  readonly server: string;
  readonly certificateAuthority?: string;
  /** Inner addresses and networks that its name may lead to; see `OutboundRules`. */
  readonly allowedAddresses?: readonly string[];
  /** The caller that asks: it needs `create` on `tokenreviews`. */
  readonly token: string;
}

/** Whose a token is, as a TokenReview answers. */
export interface ReviewedUser {
  readonly username: string;
  readonly uid?: string;
  readonly groups: readonly string[];
  readonly extra: Readonly<Record<string, readonly string[]>>;
}

/**
 * Signs and verifies JSON Web Tokens for plugins, so that its rules hold everywhere: keys come from the issuer's key set alone, algorithms
 * are named, `exp` is obligatory, clocks may differ by 60 s, and an issuer is asked for unknown keys at most every 30 s.
 *
 * @source RFC 7519, RFC 8725
 */
export interface TokenService {
  /** What `iss` says in tokens that `sign` makes; its keys are published at `{issuer}/openid/v1/jwks`. */
  issuer(): Promise<string>;
  /** Signs with the platform's key; `iss`, `iat`, `nbf`, `exp` and `jti` are filled in. Needs the permission `identity.signs`. @throws TAP_PLUGIN_PERMISSION */
  sign(
    claims: Readonly<Record<string, unknown>>,
    options: { readonly lifetimeMs: number },
  ): Promise<{ readonly token: string; readonly expiresAtMs: number }>;
  /** @throws TAP_CREDENTIAL_INVALID, TAP_CREDENTIAL_EXPIRED, TAP_ISSUER_UNAVAILABLE */
  verify(token: string, rules: JwtRules): Promise<JwtClaims>;
  /**
   * Asks somebody else; nothing when the token is not good there, or when `audiences` were asked about and the answer names none of them.
   *
   * @throws TAP_ISSUER_UNAVAILABLE
   */
  review(token: string, reviewer: TokenReviewer, audiences?: readonly string[]): Promise<ReviewedUser | undefined>;
}

/** How far apart clocks may be when JSON Web Tokens are verified, in milliseconds. */
export const jwtSkewMs = 60_000;

/**
 * When a verified token is over, in milliseconds since the epoch: what an authenticator answers as `expiresAtMs`. That is after its `exp` by as much
 * as `verify` lets clocks differ; a token that was let in for the difference must not be over already.
 */
export function jwtEndMs({ exp }: Pick<JwtClaims, 'exp'>): number {
  return exp * 1000 + jwtSkewMs;
}

const tokenCharsMax = 16_384;
const form = /^[A-Za-z0-9_-]+\.(?<payload>[A-Za-z0-9_-]+)\.[A-Za-z0-9_-]+$/;

/**
 * Reads who claims to have issued a token, without verifying anything: to find out whether it is of one's sort. Nothing when the text is
 * no JSON Web Token or names no issuer.
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
