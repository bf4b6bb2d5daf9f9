import {
  TapError,
  type AuditRecorder,
  type HttpAnswer,
  type HttpRequest,
  type RouteContext,
  type SealingService,
  type TokenService,
} from '@tappaas/sdk';
import * as client from 'openid-client';
import { accountPage } from './account-page.js';
import { cookieValue, loginCookie, sessionCookie, setCookie } from './cookies.js';
import { errors } from './errors.js';
import { loggedIn } from './granted.js';
import { hasNotAnswered, refusalOf, type Provider } from './provider.js';
import type { Providers } from './providers.js';
import { recordLogin } from './recorded-sessions.js';
import { endSurplus } from './session-bounds.js';
import { openSession, sessionOf } from './sessions.js';
import type { Settings } from './settings.js';

/** The state of a login in progress, which must come back unchanged; kept in the browser, in a cookie that pages cannot read. */
interface Attempt {
  readonly issuer: string;
  readonly state: string;
  readonly nonce: string;
  readonly verifier: string;
  readonly returnTo: string;
}

const attemptSeconds = 600;
const pathCharsMax = 2048;

export interface BrowserLoginParts {
  readonly instance: string;
  readonly settings: Pick<Settings, 'publicUrl' | 'sessionHours' | 'sessionsPerPersonMax'>;
  readonly providers: Providers;
  readonly tokens: TokenService;
  readonly sealing: SealingService;
  readonly audit: AuditRecorder;
}

/** Redirects a browser to a provider. Query: `issuer`, the provider; `return_to`, the path on this host to return to. */
export async function beginLogin({ query }: HttpRequest, parts: BrowserLoginParts): Promise<HttpAnswer> {
  const provider = parts.providers.of(query['issuer']);
  const attempt: Attempt = {
    issuer: provider.settings.name,
    state: client.randomState(),
    nonce: client.randomNonce(),
    verifier: client.randomPKCECodeVerifier(),
    returnTo: localPath(query['return_to']) ?? `/plugins/${parts.instance}/${accountPage}`,
  };
  const location = client.buildAuthorizationUrl(await provider.configuration(), {
    redirect_uri: callbackUrl(provider, parts),
    scope: provider.settings.scopes.join(' '),
    state: attempt.state,
    nonce: attempt.nonce,
    code_challenge: await client.calculatePKCECodeChallenge(attempt.verifier),
    code_challenge_method: 'S256',
    // OpenID Connect Core 1.0, section 11: offline access, and so a refresh token, requires the prompt `consent`.
    ...(provider.settings.scopes.includes('offline_access') && { prompt: 'consent' }),
  });
  const value = Buffer.from(JSON.stringify(attempt)).toString('base64url');
  return redirect(location.href, setCookie(loginCookie, value, attemptSeconds, 'Lax'));
}

/** Handles the provider's redirect back: completes with a session, or with the reason why there is none. */
export async function finishLogin(
  { params, query, headers }: HttpRequest,
  context: RouteContext,
  parts: BrowserLoginParts,
): Promise<HttpAnswer> {
  const attempt = attemptOf(cookieValue(headers['cookie'], loginCookie));
  if (attempt === undefined) throw errors.IDENTITY_OIDC_LOGIN_INVALID({ message: 'this browser has not begun to log in, or too long ago' });
  const provider = parts.providers.of(attempt.issuer);
  // Defends against mix-up attacks: what one provider granted is never sent to another, wherever a provider has redirected the browser.
  const answering = parts.providers.of(params['issuer']);
  if (answering !== provider) {
    const message = `the answer is that of provider ${answering.settings.name}, and this browser has begun to log in at ${attempt.issuer}`;
    throw errors.IDENTITY_OIDC_LOGIN_INVALID({ message });
  }
  const granted = await grant(provider, attempt, query, parts);
  const login = await loggedIn(granted, provider, parts.tokens, context.clock.nowMs());
  const { sessionHours, sessionsPerPersonMax } = parts.settings;
  const cookieBefore = cookieValue(headers['cookie'], sessionCookie);
  const replaced = cookieBefore === undefined ? undefined : await sessionOf(cookieBefore, context);
  const { session, cookie } = await openSession(login, sessionHours, { context, sealing: parts.sealing });
  const audited = { audit: parts.audit, context };
  await recordLogin(session, audited);
  await endSurplus({ session, replaced, sessionsMax: sessionsPerPersonMax }, audited);
  return redirect(attempt.returnTo, setCookie(sessionCookie, cookie, sessionHours * 3600, 'Lax'));
}

async function grant(provider: Provider, attempt: Attempt, query: HttpRequest['query'], parts: BrowserLoginParts) {
  const configuration = await provider.configuration();
  const url = new URL(callbackUrl(provider, parts));
  url.search = new URLSearchParams(query).toString();
  try {
    return await client.authorizationCodeGrant(configuration, url, {
      pkceCodeVerifier: attempt.verifier,
      expectedState: attempt.state,
      expectedNonce: attempt.nonce,
      idTokenExpected: true,
    });
  } catch (cause) {
    if (cause instanceof TapError) throw cause;
    if (hasNotAnswered(cause)) {
      throw errors.IDENTITY_OIDC_PROVIDER_FAILED({
        message: `provider ${attempt.issuer}: exchanging the code of a log-in did not work`,
        cause,
      });
    }
    const refusal = refusalOf(cause);
    const why = refusal === undefined ? 'the answer is not that of this log-in' : `the provider says ${refusal.slice(0, 64)}`;
    throw errors.IDENTITY_OIDC_LOGIN_INVALID({ message: `provider ${attempt.issuer}: ${why}`, cause });
  }
}

/**
 * The redirect address of a provider: a separate one for each, since a malicious provider could redirect the browser to another.
 *
 * @source RFC 9700, section 4.4
 * @throws IDENTITY_OIDC_NOT_CONFIGURED
 */
function callbackUrl({ settings: { name } }: Provider, { settings: { publicUrl }, instance, providers }: BrowserLoginParts): string {
  if (publicUrl === '')
    throw errors.IDENTITY_OIDC_NOT_CONFIGURED({ message: 'no address is configured under which browsers reach the API' });
  const own = providers.of(undefined).settings.name === name ? '' : `/${name}`;
  return `${publicUrl.replace(/\/$/, '')}/plugins/${instance}/callback${own}`;
}

/** Returns the text if it is a path of this host; undefined if a browser could interpret it as leading elsewhere. */
export function localPath(text: string | undefined): string | undefined {
  if (text === undefined || text.length > pathCharsMax || !/^\/(?![/\\])[\x21-\x7e]*$/.test(text) || text.includes('\\')) return undefined;
  const base = 'https://here.invalid';
  return URL.parse(text, base)?.origin === base ? text : undefined;
}

function attemptOf(cookie: string | undefined): Attempt | undefined {
  try {
    const value = JSON.parse(Buffer.from(cookie ?? '', 'base64url').toString('utf8')) as Partial<Record<keyof Attempt, unknown>>;
    const { issuer, state, nonce, verifier, returnTo } = value;
    const texts = [issuer, state, nonce, verifier, returnTo];
    if (!texts.every((text) => typeof text === 'string') || localPath(returnTo as string) === undefined) return undefined;
    return value as Attempt;
  } catch {
    return undefined;
  }
}

function redirect(location: string, cookie: string): HttpAnswer {
  return { status: 303, headers: { location, 'set-cookie': cookie, 'cache-control': 'no-store', 'referrer-policy': 'no-referrer' } };
}
