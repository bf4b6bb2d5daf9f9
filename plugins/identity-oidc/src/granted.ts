import type { TokenService } from '@tappaas/sdk';
import type { TokenEndpointResponse, TokenEndpointResponseHelpers } from 'openid-client';
import { errors } from './errors.js';
import type { Provider } from './provider.js';
import type { LoggedIn } from './sessions.js';

/** Bounds on how long a provider's statements are valid before they are refreshed. */
const validMsMin = 60_000;
const validMsMax = 3_600_000;

/** When the provider's present statements must be refreshed, milliseconds since the epoch. */
export function validUntilMs(granted: TokenEndpointResponseHelpers, nowMs: number): number {
  return nowMs + Math.min(Math.max((granted.expiresIn() ?? 0) * 1000, validMsMin), validMsMax);
}

/**
 * Identifies the user of the tokens that a provider granted, by the ID token, verified by the platform's rules.
 *
 * @throws IDENTITY_OIDC_PROVIDER_FAILED, IDENTITY_OIDC_CLAIM_MISSING, IDENTITY_OIDC_CLAIM_FOREIGN
 */
export async function loggedIn(
  granted: TokenEndpointResponse & TokenEndpointResponseHelpers,
  provider: Provider,
  tokens: TokenService,
  nowMs: number,
): Promise<LoggedIn> {
  const { name, clientId } = provider.settings;
  const { id_token: idToken, refresh_token: refreshToken } = granted;
  if (idToken === undefined) throw errors.IDENTITY_OIDC_PROVIDER_FAILED({ message: `provider ${name}: it granted no ID token` });
  const claims = await tokens.verify(idToken, { issuer: provider.jwt, audiences: [clientId] });
  const { sub, sid } = claims;
  if (typeof sub !== 'string') throw errors.IDENTITY_OIDC_PROVIDER_FAILED({ message: `provider ${name}: its ID token names no subject` });
  return {
    issuer: name,
    subject: sub,
    sid: typeof sid === 'string' ? sid : undefined,
    caller: provider.callerOf(claims),
    validUntilMs: validUntilMs(granted, nowMs),
    refreshToken,
    idToken,
  };
}

/** Decodes the claims of an ID token without verification: it was verified when it was granted, and stored sealed since. */
export function claimsOf(idToken: string): Readonly<Record<string, unknown>> {
  const [, payload = ''] = idToken.split('.');
  return JSON.parse(Buffer.from(payload, 'base64url').toString()) as Readonly<Record<string, unknown>>;
}
