import type { Clock, JwtClaims, JwtIssuer, JwtRules, ReviewedUser, TokenReviewer, TokenService } from '@tappaas/sdk';
import { askJson } from './https-json.js';
import { IssuerKeys } from './issuer-keys.js';
import type { SigningKeys } from './signing-keys.js';
import { verifyJwt } from './verify-jwt.js';

export interface TokenServiceOptions {
  /** There as soon as the store is. */
  readonly keys: () => Promise<SigningKeys>;
  readonly clock: Clock;
  /** Refuses by throwing when who asks may not sign; asked in the turn of the call. */
  readonly mayLetSign: () => Promise<void>;
}

const defaultAlgorithms = ['ES256', 'RS256'] as const;

/** What plugins sign and verify tokens with. */
export function createTokenService({ keys, clock, mayLetSign }: TokenServiceOptions): TokenService {
  const issuerKeys = new IssuerKeys(clock);
  return {
    issuer: async () => (await keys()).issuer,
    async sign(claims, { lifetimeMs }) {
      await mayLetSign();
      return (await keys()).sign(claims, lifetimeMs);
    },
    verify: async (token, { audiences, issuer }) =>
      issuer === undefined ? (await keys()).verify(token, audiences) : verifyForeign(token, { audiences, issuer }),
    review: (token, reviewer, audiences) => review(token, reviewer, audiences),
  };

  function verifyForeign(token: string, { audiences, issuer }: JwtRules & { readonly issuer: JwtIssuer }): Promise<JwtClaims> {
    const { algorithms = defaultAlgorithms } = issuer;
    const keysFor = (kid: string | undefined) => issuerKeys.keysOf(issuer, kid);
    return verifyJwt(token, { issuer: issuer.issuer, audiences, algorithms, keysFor }, clock);
  }
}

const path = '/apis/authentication.k8s.io/v1/tokenreviews';

interface ReviewAnswer {
  readonly status?: { readonly authenticated?: unknown; readonly user?: Readonly<Record<string, unknown>>; readonly audiences?: unknown };
}

async function review(
  token: string,
  { server, certificateAuthority, allowedAddresses = [], token: own }: TokenReviewer,
  audiences?: readonly string[],
): Promise<ReviewedUser | undefined> {
  const answer = (await askJson({
    url: server.replace(/\/$/, '') + path,
    token: own,
    allowedAddresses,
    ...(certificateAuthority !== undefined && { certificateAuthority }),
    body: { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenReview', spec: { token, ...(audiences && { audiences }) } },
  })) as ReviewAnswer | null;
  const { authenticated, user = {}, audiences: heard } = answer?.status ?? {};
  const { username, uid, groups, extra } = user;
  if (authenticated !== true || typeof username !== 'string' || username === '') return undefined;
  // Who answers nothing about audiences has not looked at them: the token may be for anybody.
  if (audiences !== undefined && !wordsOf(heard).some((audience) => audiences.includes(audience))) return undefined;
  return { username, ...(typeof uid === 'string' && { uid }), groups: wordsOf(groups), extra: extraOf(extra) };
}

function wordsOf(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((each) => typeof each === 'string') : [];
}

function extraOf(value: unknown): ReviewedUser['extra'] {
  if (typeof value !== 'object' || value === null) return {};
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, wordsOf(each)]));
}
