import type { TokenService } from '@tappaas/sdk';
import type { TokenEndpointResponse, TokenEndpointResponseHelpers } from 'openid-client';
import { errors } from './errors.js';
import type { Provider } from './provider.js';
import type { LoggedIn } from './sessions.js';

/** What a provider says holds for at least and at most this long before it is asked again. */
const validMsMin = 60_000;
const validMsMax = 3_600_000;

/** When the provider has to be asked again about what it said now. */
export function validUntilMs(granted: TokenEndpointResponseHelpers, nowMs: number): number {
  return nowMs + Math.min(Math.max((granted.expiresIn() ?? 0) * 1000, validMsMin), validMsMax);
}

/** Who somebody is, from the tokens that a provider has granted: its ID token, verified by the platform's rules. @throws IDENTITY_OIDC_PROVIDER_FAILED, IDENTITY_OIDC_CLAIM_MISSING, IDENTITY_OIDC_CLAIM_FOREIGN */
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

/** The claims of an ID token that was verified when it was granted, and has been sealed by the platform since. */
export function claimsOf(idToken: string): Readonly<Record<string, unknown>> {
  const [, payload = ''] = idToken.split('.');
  return JSON.parse(Buffer.from(payload, 'base64url').toString()) as Readonly<Record<string, unknown>>;
}
