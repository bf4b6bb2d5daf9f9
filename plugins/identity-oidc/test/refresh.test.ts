import { setImmediate } from 'node:timers/promises';
import type { AuditRecorder, Context, SealingService } from '@tappaas/sdk';
import { load, startTestKernel } from '@tappaas/testing';
import test from 'ava';
import { createTokenService } from '../../../core/dist/identity/tokens/token-service.js';
import { startIssuer } from '../../../core/test/identity/tokens/issuer-server.ts';
import { Session } from '../dist/contract.js';
import { errors } from '../dist/errors.js';
import identityOidc from '../dist/index.js';
import { Provider } from '../dist/provider.js';
import { Providers } from '../dist/providers.js';
import { refreshSessions } from '../dist/refresh.js';

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const never: AuditRecorder['record'] = async () => undefined;
const inTheClear: SealingService = { seal: async (text) => text, open: async (text) => text };

/** A session of ann, valid for twelve hours, at a provider that responds to a refresh as `granting` says. */
async function world(
  t: { teardown(close: () => unknown): void },
  others: readonly Provider[] = [],
  { tenant = '', tenants = [] as readonly string[] } = {},
) {
  const issuer = await startIssuer();
  t.teardown(() => issuer.close());
  const key = await issuer.makeKey('k');
  const configuration = { name: 'corp', issuer: issuer.url, clientId: 'tappaas' };
  const kernel = await startTestKernel({ plugins: [load(identityOidc, { issuers: [configuration] }, { id: 'oidc' })] });
  t.teardown(() => kernel.stop());
  // The system's clock, since the library checks tokens by it.
  let nowMs = Date.now();
  const clock = { nowMs: () => nowMs, sleep: async () => undefined };
  const claims = { user: 'sub', userPrefix: '', groups: 'groups', groupsPrefix: '', tenant, groupsWithoutTenant: [] };
  const settings = {
    ...configuration,
    tenants,
    cliClientId: '',
    audiences: [],
    allowedAddresses: [],
    claims,
  } as unknown as Provider['settings'];
  const providers = new Providers([...others, new Provider(settings, issuer.authority, clock.nowMs)]);
  t.teardown(() => providers.close());
  const noKeys = () => Promise.reject(new Error('the platform’s own keys are not asked for here'));
  const tokens = createTokenService({ keys: noKeys, clock, mayLetSign: async () => undefined });
  const inTime = (ms: number): string => new Date(nowMs + ms).toISOString();
  const idToken = (groups: readonly string[], more: object = {}) =>
    key.sign({
      iss: issuer.url,
      aud: 'tappaas',
      sub: 'ann',
      groups,
      ...more,
      iat: Math.floor(nowMs / 1000),
      exp: Math.floor(nowMs / 1000) + 3600,
    });
  const spec = { issuer: 'corp', subject: 'ann', user: 'ann', groups: ['devs'], cookieId: 'a'.repeat(12), sha256: 'b'.repeat(64) };
  const granted = JSON.stringify({ idToken: await idToken(['devs']), refreshToken: 'first' });
  await kernel.resources.create(Session, {
    metadata: { name: 'oidc-ann' },
    spec: { ...spec, granted, validUntil: inTime(hourMs), expiresAt: inTime(12 * hourMs) },
  });
  const warnings: unknown[] = [];
  const log = { info: () => {}, warn: (_: string, { error }: { readonly error: unknown }) => warnings.push(error) };
  const context = { clock, asPlugin: kernel.resources, signal: new AbortController().signal, log } as unknown as Context;
  let granting: { readonly status: number; readonly body: object } = { status: 500, body: {} };
  let keys: object | undefined;
  issuer.answer = (path) => {
    if (path === '/keys' && keys !== undefined) return { status: 503, body: JSON.stringify(keys) };
    if (path === '/token') return { status: granting.status, body: JSON.stringify(granting.body) };
    if (path !== '/.well-known/openid-configuration') return undefined;
    const endpoints = { jwks_uri: `${issuer.url}/keys`, token_endpoint: `${issuer.url}/token` };
    return { status: 200, body: JSON.stringify({ issuer: issuer.url, ...endpoints, id_token_signing_alg_values_supported: ['ES256'] }) };
  };
  return {
    warnings,
    idToken,
    sessions: kernel.resources,
    /** Opens a session of another user at a provider, as old as ann's. */
    open: (name: string, at: string) =>
      kernel.resources.create(Session, {
        metadata: { name },
        spec: { ...spec, subject: name, issuer: at, granted, validUntil: inTime(hourMs), expiresAt: inTime(12 * hourMs) },
      }),
    /** Refreshes all sessions that are due. */
    refresh: () => refreshSessions({ providers, tokens, sealing: inTheClear, audit: { record: never } }, context),
    goOn: (later: number, answer: typeof granting) => {
      nowMs += later;
      granting = answer;
    },
    loseKeys: () => (keys = {}),
    /** Advances the clock, refreshes, and returns the session. */
    refreshed: async (later: number, answer: typeof granting) => {
      nowMs += later;
      granting = answer;
      await refreshSessions({ providers, tokens, sealing: inTheClear, audit: { record: never } }, context);
      const session = await kernel.resources.get(Session, { name: 'oidc-ann' });
      if (session === undefined) return undefined;
      const { groups, validUntil, granted: kept = '{}' } = session.spec;
      const { refreshToken } = JSON.parse(kept) as { readonly refreshToken: string };
      return { groups, validForMinutes: Math.round((Date.parse(validUntil) - nowMs) / minuteMs), refreshToken };
    },
  };
}

const answered = (more: object = {}) => ({
  status: 200,
  body: { access_token: 'a', token_type: 'Bearer', expires_in: 3600, ...more },
});
const refusing = (error: string) => ({ status: 400, body: { error } });

test('a provider that leaves the ID token out when it is asked again keeps people logged in as long as their session lasts', async (t) => {
  const { refreshed, warnings } = await world(t);
  for (let hour = 1; hour < 12; hour += 1) {
    const session = await refreshed(59 * minuteMs, answered({ refresh_token: `of hour ${hour}` }));
    t.deepEqual(session, { groups: ['devs'], validForMinutes: 60, refreshToken: `of hour ${hour}` });
  }
  t.deepEqual(warnings, []);
});

test('what a new ID token says holds from then on, and a refresh token that is not replaced stays', async (t) => {
  const { refreshed, idToken } = await world(t);
  const session = await refreshed(59 * minuteMs, answered({ id_token: await idToken(['ops']) }));
  t.deepEqual(session, { groups: ['ops'], validForMinutes: 60, refreshToken: 'first' });
});

test('a session ends when the provider says that the person is of a tenant that it may not name', async (t) => {
  const { refreshed, idToken, warnings } = await world(t, [], { tenant: 'org', tenants: ['b'] });
  const kept = await refreshed(59 * minuteMs, answered({ id_token: await idToken(['devs'], { org: 'b' }) }));
  t.deepEqual(kept?.groups, ['devs']);
  t.is(await refreshed(59 * minuteMs, answered({ id_token: await idToken(['devs'], { org: 'a' }) })), undefined);
  t.deepEqual(warnings, []);
});

test('a refresh token that was replaced is kept, though what came with it cannot be verified now', async (t) => {
  const { refreshed, idToken, loseKeys, warnings } = await world(t);
  loseKeys();
  const session = await refreshed(59 * minuteMs, answered({ id_token: await idToken(['ops']), refresh_token: 'second' }));
  t.deepEqual(session, { groups: ['devs'], validForMinutes: 1, refreshToken: 'second' });
  t.like(warnings, [{ code: 'TAP_ISSUER_UNAVAILABLE' }]);
});

test('a session ends when the provider says so of the person, and not when it refuses the platform or is busy', async (t) => {
  for (const error of [
    'invalid_client',
    'unauthorized_client',
    'temporarily_unavailable',
    'server_error',
    'invalid_request',
    'slow_down',
  ]) {
    const { refreshed, warnings } = await world(t);
    t.like(await refreshed(59 * minuteMs, refusing(error)), { refreshToken: 'first', validForMinutes: 1 }, error);
    t.is(warnings.length, 1, error);
    t.like(await refreshed(0, answered()), { validForMinutes: 60 }, 'mended, it goes on');
  }
  for (const error of ['invalid_grant', 'access_denied', 'login_required', 'interaction_required', 'consent_required']) {
    const { refreshed } = await world(t);
    t.is(await refreshed(59 * minuteMs, refusing(error)), undefined, error);
  }
});

test('a provider that does not answer keeps nobody of another one waiting, and is asked for a few of its sessions only', async (t) => {
  const unanswered: ((error: Error) => void)[] = [];
  const failed = () => new Promise<never>((_, reject) => unanswered.push(reject));
  const dead = { settings: { name: 'dead', issuer: 'https://dead.invalid' }, configuration: failed, close: async () => undefined };
  const { open, goOn, refresh, sessions, warnings } = await world(t, [dead as unknown as Provider]);
  for (let index = 10; index < 60; index += 1) await open(`oidc-${index}`, 'dead');
  goOn(59 * minuteMs, answered({ refresh_token: 'second' }));
  const running = refresh();
  const isRenewed = async (): Promise<boolean> =>
    (await sessions.get(Session, { name: 'oidc-ann' }))?.spec.granted?.includes('second') ?? false;
  while (!(await isRenewed())) await setImmediate();
  t.deepEqual(warnings, [], 'nobody has been given up yet');
  const calls = unanswered.length;
  t.true(calls > 0 && calls <= 8);
  for (let index = 0; index < unanswered.length; index += 1) {
    unanswered[index]?.(errors.IDENTITY_OIDC_PROVIDER_FAILED({ message: 'provider dead: discovery did not work' }));
    await setImmediate();
  }
  await running;
  t.true(unanswered.length < 16, `${unanswered.length} of 50 were asked for`);
});

test('sessions that fail for their own sake keep nobody of their provider from being renewed', async (t) => {
  let calls = 0;
  const failing = {
    settings: { name: 'dead', issuer: 'https://dead.invalid' },
    configuration: async () => {
      calls += 1;
      throw new Error('not this one');
    },
    close: async () => undefined,
  };
  const { open, goOn, refresh } = await world(t, [failing as unknown as Provider]);
  for (let index = 10; index < 60; index += 1) await open(`oidc-${index}`, 'dead');
  goOn(59 * minuteMs, answered());
  await refresh();
  t.is(calls, 50);
});

test('who is nobody here any more, by what the provider says now, is logged out at once and not asked about for hours', async (t) => {
  const { refreshed, idToken, warnings } = await world(t);
  const withoutGroups = await idToken([], { groups: ['x'.repeat(300)] });
  t.is(await refreshed(59 * minuteMs, answered({ id_token: withoutGroups, refresh_token: 'second' })), undefined);
  t.deepEqual(warnings, []);
});

test('a provider that answers a refresh with somebody else’s ID token logs the person out, and nobody in', async (t) => {
  const { refreshed, idToken, warnings } = await world(t);
  const others = await idToken(['devs'], { sub: 'bob' });
  t.is(await refreshed(59 * minuteMs, answered({ id_token: others, refresh_token: 'second' })), undefined);
  t.deepEqual(warnings, []);
});
