import { hash } from 'node:crypto';
import {
  claimedIssuer,
  credentialErrors,
  jwtEndMs,
  siteHeaders,
  type Authenticator,
  type Context,
  type Credentials,
  type Identity,
  type TokenService,
} from '@tappaas/sdk';
import { bearerToken } from '@tappaas/sdk/bearer-token';
import { cookieValue, isOfThisSite, sessionCookie } from './cookies.js';
import type { Providers } from './providers.js';
import { identityOf, sessionOf } from './sessions.js';

/** Authenticates browsers by their session cookie, and programs by bearer tokens of a configured provider. */
export function oidcAuthenticator(providers: Providers, tokens: TokenService): Authenticator {
  return {
    reads: ['authorization', 'cookie', ...siteHeaders],
    authenticate: (credentials, context) => authenticate(credentials, context, providers, tokens),
  };
}

/** @throws TAP_CREDENTIAL_INVALID, TAP_CREDENTIAL_EXPIRED, TAP_ISSUER_UNAVAILABLE */
async function authenticate(
  { headers }: Credentials,
  context: Context,
  providers: Providers,
  tokens: TokenService,
): Promise<Identity | undefined> {
  const bearer = bearerToken(headers);
  if (bearer !== undefined) return ofToken(bearer, providers, tokens);
  const cookie = cookieValue(headers['cookie'], sessionCookie);
  if (cookie === undefined) return undefined;
  if (!isOfThisSite(headers)) {
    throw credentialErrors.TAP_CREDENTIAL_INVALID({
      message: 'a session is good for pages of this host only, and this request is of another site',
    });
  }
  const session = await sessionOf(cookie, context);
  if (session === undefined) throw credentialErrors.TAP_CREDENTIAL_INVALID({ message: 'the session has ended' });
  return identityOf(session, context.clock.nowMs());
}

async function ofToken(token: string, providers: Providers, tokens: TokenService): Promise<Identity | undefined> {
  const provider = providers.ofIssuer(claimedIssuer(token) ?? '');
  if (provider === undefined) return undefined;
  const claims = await tokens.verify(token, { issuer: provider.jwt, audiences: provider.audiences });
  // A logout token is signed by the same keys for the same audience, but it is not a credential.
  if (Object.hasOwn(claims, 'events')) throw credentialErrors.TAP_CREDENTIAL_INVALID({ message: 'the token is not one to act with' });
  return {
    caller: provider.callerOf(claims),
    credentialId: `oidc:${hash('sha256', token).slice(0, 32)}`,
    expiresAtMs: jwtEndMs(claims),
  };
}
