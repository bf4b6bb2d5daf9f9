import type { AuditRecorder, Context, HttpRequest, RouteContext } from '@tappaas/sdk';
import { load, startTestKernel, type TestKernel } from '@tappaas/testing';
import test from 'ava';
import { Session } from '../dist/contract.js';
import identityOidc from '../dist/index.js';
import { backChannelLogout, type LogoutParts } from '../dist/logout.js';
import { Provider } from '../dist/provider.js';
import { Providers } from '../dist/providers.js';
import { refreshSessions, type RefreshParts } from '../dist/refresh.js';

const settings = {
  publicUrl: '',
  issuers: [{ name: 'corp', issuer: 'https://login.example.invalid', clientId: 'tappaas' }],
};
/** More than an earlier limit of the list. */
const manyMax = 10_050;
const hourMs = 3_600_000;

/** Opens a session whose provider statements are valid for `validMs`. */
async function open(kernel: TestKernel, name: string, validMs: number): Promise<void> {
  const at = (ms: number): string => new Date(kernel.clock.nowMs() + ms).toISOString();
  const spec = { issuer: 'corp', subject: name, user: name, groups: [], cookieId: 'a'.repeat(12), sha256: 'b'.repeat(64) };
  await kernel.resources.create(Session, {
    metadata: { name },
    spec: { ...spec, validUntil: at(validMs), expiresAt: at(12 * hourMs) },
  });
}

/** Refreshes without any configured provider, so that a session that is due cannot be refreshed. */
async function refreshed(kernel: TestKernel, audit: AuditRecorder, signal = new AbortController().signal): Promise<readonly string[]> {
  const warnings: string[] = [];
  const log = { info: () => {}, warn: (_: string, { session }: { readonly session: string }) => warnings.push(session) };
  const context = { clock: kernel.clock, asPlugin: kernel.resources, signal, log } as unknown as Context;
  await refreshSessions({ providers: new Providers([]), audit } as unknown as RefreshParts, context);
  return warnings;
}

async function known(kernel: TestKernel): Promise<readonly string[]> {
  return (await Array.fromAsync(kernel.resources.list(Session, { itemsMax: 100_000 }))).map(({ metadata }) => metadata.name);
}

test('however many are logged in, each session is looked at when the provider has to be asked again', async (t) => {
  t.timeout(120_000);
  const kernel = await startTestKernel({ plugins: [load(identityOidc, settings, { id: 'oidc' })] });
  t.teardown(() => kernel.stop());
  for (let index = 0; index < manyMax; index += 1) await open(kernel, `oidc-${index}`, 6 * hourMs);
  await open(kernel, 'oidc-last', 30_000);
  await kernel.advance(15_000);
  t.is(await kernel.resources.get(Session, { name: 'oidc-last' }), undefined, 'nothing can be asked about it, so it has ended');
  t.truthy(await kernel.resources.get(Session, { name: 'oidc-0' }));
});

test('a session whose end audit cannot take stays, and is the only one that does', async (t) => {
  const kernel = await startTestKernel({ plugins: [load(identityOidc, settings, { id: 'oidc' })] });
  t.teardown(() => kernel.stop());
  for (let index = 10; index < 40; index += 1) await open(kernel, `oidc-${index}`, 30_000);
  const audited: string[] = [];
  const record: AuditRecorder['record'] = async ({ name }) => {
    if (name === 'oidc-11') throw new Error('no sink takes it');
    audited.push(name);
  };
  t.deepEqual(await refreshed(kernel, { record }), ['oidc-11']);
  t.deepEqual(await known(kernel), ['oidc-11']);
  t.is(audited.length, 29);
});

test('a run that is told to stop ends with everything that it has begun', async (t) => {
  const kernel = await startTestKernel({ plugins: [load(identityOidc, settings, { id: 'oidc' })] });
  t.teardown(() => kernel.stop());
  for (let index = 10; index < 40; index += 1) await open(kernel, `oidc-${index}`, 30_000);
  const stop = new AbortController();
  let [begun, ended] = [0, 0];
  const record: AuditRecorder['record'] = async () => {
    begun += 1;
    stop.abort(new Error('told to stop'));
    await new Promise((resolve) => void setImmediate(resolve));
    ended += 1;
  };
  await t.throwsAsync(refreshed(kernel, { record }, stop.signal), { message: 'told to stop' });
  t.is(ended, begun);
  t.is((await known(kernel)).length, 30 - begun);
});

test('sessions are all looked at, though the list was begun longer ago than is remembered', async (t) => {
  t.timeout(120_000);
  const kernel = await startTestKernel({ plugins: [load(identityOidc, settings, { id: 'oidc' })] });
  t.teardown(() => kernel.stop());
  for (let index = 1_000; index < 1_600; index += 1) await open(kernel, `oidc-${index}`, 30_000);
  await open(kernel, 'oidc-busy', 6 * hourMs);
  let forgotten: Promise<void> | undefined;
  const forget = async (): Promise<void> => {
    for (let index = 0; index < manyMax; index += 1) {
      await kernel.resources.patch(Session, { name: 'oidc-busy' }, { spec: { sid: `sid-${index}` } });
    }
  };
  const record: AuditRecorder['record'] = () => (forgotten ??= forget());
  t.deepEqual(await refreshed(kernel, { record }), []);
  t.deepEqual(await known(kernel), ['oidc-busy']);
});

test('a provider that ends a session while audit takes nothing ends it with the same token later, and no second time', async (t) => {
  const kernel = await startTestKernel({ plugins: [load(identityOidc, settings, { id: 'oidc' })] });
  t.teardown(() => kernel.stop());
  await open(kernel, 'oidc-ann', hourMs);
  const issuer = 'https://login.example.invalid';
  const corp = { name: 'corp', issuer, clientId: 'tappaas', allowedAddresses: [] } as unknown as Provider['settings'];
  const providers = new Providers([new Provider(corp, undefined, () => kernel.clock.nowMs())]);
  t.teardown(() => providers.close());
  const events = { 'http://schemas.openid.net/event/backchannel-logout': {} };
  const claims = { iss: issuer, sub: 'oidc-ann', jti: 'once', iat: kernel.clock.nowMs() / 1000, events };
  const kept = new Map<string, unknown>();
  const state = { get: async (key: string) => kept.get(key), set: async (key: string, value: unknown) => void kept.set(key, value) };
  const context = { clock: kernel.clock, asPlugin: kernel.resources, state, requestId: 'r' } as unknown as RouteContext;
  const encoded = (part: object) => Buffer.from(JSON.stringify(part)).toString('base64url');
  const token = `${encoded({ alg: 'ES256' })}.${encoded(claims)}.c2lnbmF0dXJl`;
  const request = { body: Buffer.from(`logout_token=${token}`) } as unknown as HttpRequest;
  let takes = false;
  const record: AuditRecorder['record'] = async () => {
    if (!takes) throw new Error('no sink takes it');
  };
  const parts = { providers, tokens: { verify: async () => claims }, audit: { record } } as unknown as LogoutParts;
  await t.throwsAsync(backChannelLogout(request, context, parts), { message: 'no sink takes it' });
  t.deepEqual(await known(kernel), ['oidc-ann']);
  takes = true;
  t.is((await backChannelLogout(request, context, parts)).status, 200);
  t.deepEqual(await known(kernel), []);
  await t.throwsAsync(backChannelLogout(request, context, parts), { message: /was sent before/ });
});
