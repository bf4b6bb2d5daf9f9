import type { Clock, JwtClaims, JwtIssuer, JwtRules, TokenService } from '@tappaas/sdk';
import { IssuerKeys } from './issuer-keys.js';
import type { SigningKeys } from './signing-keys.js';
import { TokenReviews } from './token-reviews.js';
import { verifyJwt } from './verify-jwt.js';

export interface TokenServiceOptions {
  /** Available once the store is. */
  readonly keys: () => Promise<SigningKeys>;
  readonly clock: Clock;
  /** Throws when the caller may not sign; called synchronously, in the caller's context. */
  readonly mayLetSign: () => Promise<void>;
}

const defaultAlgorithms = ['ES256', 'RS256'] as const;

/** Makes the service with which plugins sign and verify tokens. */
export function createTokenService({ keys, clock, mayLetSign }: TokenServiceOptions): TokenService {
  const issuerKeys = new IssuerKeys(clock);
  const reviews = new TokenReviews();
  return {
    issuer: async () => (await keys()).issuer,
    async sign(claims, { lifetimeMs }) {
      await mayLetSign();
      return (await keys()).sign(claims, lifetimeMs);
    },
    verify: async (token, { audiences, issuer }) =>
      issuer === undefined ? (await keys()).verify(token, audiences) : verifyForeign(token, { audiences, issuer }),
    review: (token, reviewer, audiences) => reviews.ask(token, reviewer, audiences),
  };

  function verifyForeign(token: string, { audiences, issuer }: JwtRules & { readonly issuer: JwtIssuer }): Promise<JwtClaims> {
    const { algorithms = defaultAlgorithms } = issuer;
    const keysFor = (kid: string | undefined) => issuerKeys.keysOf(issuer, kid);
    return verifyJwt(token, { issuer: issuer.issuer, audiences, algorithms, keysFor }, clock);
  }
}
