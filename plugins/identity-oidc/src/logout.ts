import {
  fieldIs,
  isTapError,
  type AuditRecorder,
  type Context,
  type HttpAnswer,
  type HttpRequest,
  type Immutable,
  type RouteContext,
  type SealingService,
  type Strings,
  type TokenService,
} from '@tappaas/sdk';
import * as client from 'openid-client';
import { claimedIssuer } from '@tappaas/sdk';
import { Session, type SessionObject } from './contract.js';
import { cookieValue, isOfThisSite, sessionCookie, setCookie } from './cookies.js';
import { errors } from './errors.js';
import type { Provider } from './provider.js';
import type { Providers } from './providers.js';
import { endSession } from './recorded-sessions.js';
import { grantedFor, sessionOf } from './sessions.js';

const logoutEvent = 'http://schemas.openid.net/event/backchannel-logout';
const sessionsMax = 1_000;
const tokenAgeMsMax = 300_000;

/** The services and providers that logout needs. */
export interface LogoutParts {
  readonly providers: Providers;
  readonly tokens: TokenService;
  readonly sealing: SealingService;
  readonly audit: AuditRecorder;
}

/** Ends the session here, and sends the browser to the provider to end it there. */
export async function logOut(
  { headers }: HttpRequest,
  context: RouteContext,
  { providers, sealing, audit }: LogoutParts,
): Promise<HttpAnswer> {
  if (!isOfThisSite(headers)) throw errors.IDENTITY_OIDC_LOGOUT_INVALID({ message: 'only a page of this host logs out' });
  const cookie = cookieValue(headers['cookie'], sessionCookie);
  const session = cookie === undefined ? undefined : await sessionOf(cookie, context);
  const cleared = { 'set-cookie': setCookie(sessionCookie, '', 0, 'Lax'), 'cache-control': 'no-store' };
  const wantsJson = headers['accept']?.includes('application/json') === true;
  if (session === undefined) return ended(undefined, cleared, wantsJson);
  const location = await endSessionUrl(session, providers.find(session.spec.issuer), context, sealing);
  await endSession(session, 'logged out', { audit, context });
  return ended(location, cleared, wantsJson);
}

/** A script gets the provider's address in the response; any other client is redirected. */
function ended(location: string | undefined, headers: Strings, wantsJson: boolean): HttpAnswer {
  if (wantsJson) return { status: 200, headers: { ...headers, 'content-type': 'application/json' }, body: JSON.stringify({ location }) };
  return location === undefined ? { status: 204, headers } : { status: 303, headers: { ...headers, location } };
}

/** The provider's logout address. Undefined when it has none or does not respond: the session here ends all the same. */
async function endSessionUrl(
  session: Immutable<SessionObject>,
  provider: Provider | undefined,
  context: Context,
  sealing: SealingService,
): Promise<string | undefined> {
  if (provider === undefined) return undefined;
  try {
    const granted = await grantedFor(session, sealing);
    if (granted === undefined) return undefined;
    const configuration = await provider.configuration();
    if (configuration.serverMetadata().end_session_endpoint === undefined) return undefined;
    return client.buildEndSessionUrl(configuration, { id_token_hint: granted.idToken }).href;
  } catch (error) {
    context.log.warn('the provider was not notified of a logout', { issuer: session.spec.issuer, error });
    return undefined;
  }
}

/**
 * Ends sessions at the request of their provider.
 *
 * @source OpenID Connect Back-Channel Logout 1.0, section 2
 * @throws IDENTITY_OIDC_LOGOUT_INVALID
 */
export async function backChannelLogout(
  { body }: HttpRequest,
  context: RouteContext,
  { providers, tokens, audit }: LogoutParts,
): Promise<HttpAnswer> {
  const token = new URLSearchParams(Buffer.from(body).toString('utf8')).get('logout_token') ?? '';
  const provider = providers.ofIssuer(claimedIssuer(token) ?? '');
  if (provider === undefined) throw invalid('the logout token is of no configured provider');
  const claims = await tokens.verify(token, { issuer: provider.jwt, audiences: [provider.settings.clientId] }).catch((cause: unknown) => {
    throw invalid(isTapError(cause) ? cause.message : 'the logout token is not valid', cause);
  });
  const { sub, sid, jti, iat, nonce, events } = claims;
  if (typeof events !== 'object' || events === null || !Object.hasOwn(events, logoutEvent)) throw invalid('the token has no logout event');
  if (nonce !== undefined) throw invalid('a logout token has no nonce');
  if (typeof sub !== 'string' && typeof sid !== 'string') throw invalid('the logout token names neither a subject nor a session');
  if (typeof jti !== 'string' || typeof iat !== 'number') throw invalid('the logout token has no jti or no iat');
  if (context.clock.nowMs() - iat * 1000 > tokenAgeMsMax) throw invalid('the logout token is too old');
  const sent = `logout:${provider.settings.name}:${jti.slice(0, 256)}`;
  if ((await context.state.get(sent)) !== undefined) throw invalid('the logout token was sent before');
  const fields = typeof sid === 'string' ? fieldIs('spec.sid', sid) : fieldIs('spec.subject', String(sub));
  for await (const session of context.asPlugin.list(Session, { fields, itemsMax: sessionsMax })) {
    const { spec } = session;
    const isMeant = spec.issuer === provider.settings.name && (sub === undefined || spec.subject === sub);
    if (isMeant) await endSession(session, `the provider ${spec.issuer} has ended it`, { audit, context });
  }
  // Recorded last, so that a provider can send the token again if ending its sessions failed.
  await context.state.set(sent, true, { ttlMs: 2 * tokenAgeMsMax, scope: 'platform' });
  return { status: 200, headers: { 'cache-control': 'no-store' } };
}

function invalid(message: string, cause?: unknown): Error {
  return errors.IDENTITY_OIDC_LOGOUT_INVALID({ message, cause });
}
