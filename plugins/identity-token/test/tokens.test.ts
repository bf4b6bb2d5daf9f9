import { definePlugin, families, platformServices, type Context, type Identity, type Resources } from '@tappaas/sdk';
import { load, startTestKernel, type TestKernel } from '@tappaas/testing';
import test from 'ava';
import { ApiToken } from '../dist/contract.js';
import identityToken from '../dist/index.js';
import { LastUses } from '../dist/last-uses.js';

const path = '/apis/identity.tappaas.dev/v1alpha1/apitokens';
const dayMs = 86_400_000;

interface World {
  readonly kernel: TestKernel;
  readonly revoked: string[];
  readonly authenticate: (token: string) => Promise<Identity | undefined>;
  readonly make: (name: string, spec?: object) => Promise<{ readonly status: number; readonly token: string }>;
}

async function world(t: { teardown(undo: () => unknown): void }): Promise<World> {
  const revoked: string[] = [];
  const credentials = (token: string) => ({ headers: { authorization: `Bearer ${token}` }, remoteAddress: '127.0.0.1' });
  let ask: World['authenticate'] = async () => undefined;
  const requester = definePlugin({
    id: 'asker',
    needs: { authenticators: families.authenticator },
    setup(host, _, needs) {
      host.onStart(async (context) => {
        const { authenticators } = needs;
        ask = async (token) => authenticators.get('tokens')?.authenticate(credentials(token), context);
      });
    },
  });
  const kernel = await startTestKernel({
    plugins: [
      load(identityToken, { lifetimeDays: 10, lifetimeDaysMax: 100, expiredKeptDays: 1, tokensPerPersonMax: 5 }, { id: 'tokens' }),
      load(requester, {}),
    ],
    services: [
      [platformServices.credentials, { revoked: async (ids: readonly string[]) => void revoked.push(...ids) }],
      [platformServices.audit, { record: async () => undefined }],
    ],
  });
  t.teardown(() => kernel.stop());
  return {
    kernel,
    revoked,
    authenticate: (token) => ask(token),
    async make(name, spec = {}) {
      const body = JSON.stringify({ apiVersion: 'identity.tappaas.dev/v1alpha1', kind: 'ApiToken', metadata: { name }, spec });
      const created = await kernel.http('POST', path, body, { 'content-type': 'application/json' });
      if (created.status !== 201) return { status: created.status, token: created.text };
      const issued = await kernel.http('POST', `${path}/${name}/issue`, '{}', { 'content-type': 'application/json' });
      return { status: issued.status, token: (JSON.parse(issued.text) as { token: string }).token };
    },
  };
}

test('a token is shown once, and from then on says who its holder is', async (t) => {
  const w = await world(t);
  const { status, token } = await w.make('ci', {
    user: 'ci',
    withoutTenant: true,
    groups: ['builders'],
    scope: { namespaces: ['default'], verbs: ['get'] },
  });
  t.is(status, 200);
  t.regex(token, /^tapp_[0-9a-f]{12}_[A-Za-z0-9_-]{43}$/);
  const identity = await w.authenticate(token);
  t.deepEqual(identity?.caller, {
    name: 'ci',
    groups: ['builders'],
    scope: { namespaces: ['default'], verbs: ['get'] },
  });
  t.is(identity?.expiresAtMs, w.kernel.clock.nowMs() + 10 * dayMs);
  const stored = await w.kernel.http('GET', `${path}/ci`);
  t.false(stored.text.includes(token));
  t.false(stored.text.includes(token.slice(-43)));
});

test('one person has so many tokens and no more, however many are asked for at once, and another person as many', async (t) => {
  const w = await world(t);
  const body = (name: string, user: string) =>
    JSON.stringify({
      apiVersion: 'identity.tappaas.dev/v1alpha1',
      kind: 'ApiToken',
      metadata: { name },
      spec: { user, withoutTenant: true },
    });
  const make = (name: string, user: string) => w.kernel.http('POST', path, body(name, user), { 'content-type': 'application/json' });
  const long = 'j'.repeat(256);
  const made = await Promise.all(Array.from({ length: 12 }, (_, index) => make(`t${index}`, long)));
  t.is(made.filter(({ status }) => status === 201).length, 5);
  const refused = JSON.parse(made.find(({ status }) => status === 403)?.text ?? '{}') as { details: { causes: object[] }; message: string };
  t.like(refused.details.causes[0], { field: 'spec.user', reason: 'TooManyTokens' });
  t.regex(refused.message, /may have 5 tokens; delete those that are not used \(5 are in use\)/);
  t.is((await make('ann', 'ann')).status, 201);
  const [first] = made.flatMap(({ status }, index) => (status === 201 ? [`t${index}`] : []));
  t.is((await w.kernel.http('DELETE', `${path}/${first}`)).status, 200);
  await w.kernel.reconcileUntilSettled();
  t.is((await make('again', long)).status, 201);
});

test('what is no token of ours is for others to know, and a token that differs in one character is refused', async (t) => {
  const w = await world(t);
  const { token } = await w.make('ci');
  for (const other of ['', 'x', 'tapp_', token.slice(5), `${token}x`]) t.is(await w.authenticate(other), undefined, other);
  for (let index = 5; index < token.length; index += 1) {
    if (token[index] === '_') continue;
    const wrong = token.slice(0, index) + (token[index] === '0' ? '1' : '0') + token.slice(index + 1);
    await t.throwsAsync(w.authenticate(wrong), { code: 'TAP_CREDENTIAL_INVALID' }, wrong);
  }
});

test('who makes a token without saying more gets one for itself that ends', async (t) => {
  const w = await world(t);
  const { token } = await w.make('mine');
  t.is((await w.authenticate(token))?.caller.name, 'test');
  const day = new Date(w.kernel.clock.nowMs() + dayMs).toISOString().slice(0, 10);
  t.is((await w.make('leap', { expiresAt: `${day}T23:59:60Z` })).status, 422, 'a second that no clock knows never comes');
  t.is((await w.make('eternal', { expiresAt: new Date(w.kernel.clock.nowMs() + 101 * dayMs).toISOString() })).status, 403);
  t.is((await w.make('long', { expiresAt: new Date(w.kernel.clock.nowMs() + 99 * dayMs).toISOString() })).status, 200);
});

test('who makes a token for somebody else says of which tenant it is, or that it is of none', async (t) => {
  const w = await world(t);
  const forgotten = await w.make('forgotten', { user: 'tam' });
  t.is(forgotten.status, 403);
  t.regex(forgotten.token, /spec\.tenant.*expected the tenant of \\"tam\\", or withoutTenant: true/);
  t.is((await w.make('both', { user: 'tam', tenant: 'acme', withoutTenant: true })).status, 403);
  const { token } = await w.make('none', { user: 'tam', withoutTenant: true });
  t.deepEqual((await w.authenticate(token))?.caller, { name: 'tam', groups: [] });
  const merge = { 'content-type': 'application/merge-patch+json' };
  const moved = await w.kernel.http('PATCH', `${path}/none`, JSON.stringify({ spec: { tenant: 'acme', withoutTenant: null } }), merge);
  t.is(moved.status, 422, moved.text);
});

test('a scope that names what is not there is refused, with what there is', async (t) => {
  const w = await world(t);
  const verbs = await w.make('verbs', { scope: { verbs: ['get', 'frobnicate'] } });
  t.is(verbs.status, 403);
  t.regex(verbs.token, /there is no verb \\"frobnicate\\"; there are get, list, watch/);
  const namespaces = await w.make('namespaces', { scope: { namespaces: ['default', 'nosuch-ns', '../x'] } });
  t.regex(namespaces.token, /there is no namespace \\"nosuch-ns\\"; for all, name none/);
  t.regex(namespaces.token, /there is no namespace \\"\.\.\/x\\"/);
  const labelled = { metadata: { name: 'shop', labels: { 'tappaas.dev/tenant': 'acme' } } };
  t.is((await w.kernel.http('POST', '/api/v1/namespaces', JSON.stringify(labelled))).status, 201);
  const spec = { user: 'ci', tenant: 'acme' };
  t.is((await w.make('own', { ...spec, scope: { namespaces: ['shop'] } })).status, 200);
  const others = await w.make('others', { ...spec, scope: { namespaces: ['default'] } });
  t.regex(others.token, /there is no namespace \\"default\\" of tenant acme/);
});

test('a token without groups of its maker’s own has none: those of the platform go with the credential', async (t) => {
  const w = await world(t);
  const { token } = await w.make('mine');
  t.deepEqual((await w.authenticate(token))?.caller.groups, []);
  const other = await w.make('ci', { user: 'ci', withoutTenant: true });
  t.deepEqual((await w.authenticate(other.token))?.caller.groups, []);
});

test('nobody plants a hash: what is kept of the secret is written by issue alone', async (t) => {
  const w = await world(t);
  const planted = { tokenId: '0'.repeat(12), sha256: '0'.repeat(64) };
  const refused = await w.make('planted', planted);
  t.is(refused.status, 403);
  t.regex(refused.token, /WrittenByIssue|is written when the token is issued/);
  await w.make('ci');
  const merge = { 'content-type': 'application/merge-patch+json' };
  t.is((await w.kernel.http('PATCH', `${path}/ci`, JSON.stringify({ spec: planted }), merge)).status, 403);
});

test('a token that is issued anew replaces the one before, at once', async (t) => {
  const w = await world(t);
  const { token } = await w.make('ci');
  await w.kernel.reconcileUntilSettled();
  const uid = (await w.kernel.resources.get(ApiToken, { name: 'ci' }))?.metadata.uid;
  const again = await w.kernel.http('POST', `${path}/ci/issue`);
  const next = (JSON.parse(again.text) as { token: string }).token;
  await w.kernel.reconcileUntilSettled();
  t.deepEqual(w.revoked, [`apitoken:${uid}:ci`]);
  await t.throwsAsync(w.authenticate(token), { code: 'TAP_CREDENTIAL_INVALID' });
  t.is((await w.authenticate(next))?.caller.name, 'test');
});

test('a deleted token is refused and told of', async (t) => {
  const w = await world(t);
  const { token } = await w.make('ci');
  await w.kernel.reconcileUntilSettled();
  const identity = await w.authenticate(token);
  t.is((await w.kernel.http('DELETE', `${path}/ci`)).status, 200);
  await t.throwsAsync(w.authenticate(token), { code: 'TAP_CREDENTIAL_INVALID' });
  await w.kernel.reconcileUntilSettled();
  t.deepEqual(w.revoked, [identity?.credentialId]);
  t.is(await w.kernel.resources.get(ApiToken, { name: 'ci' }), undefined);
});

test('an expired token is refused, says so, stays listed for a while and is forgotten then', async (t) => {
  const w = await world(t);
  const { token } = await w.make('ci', { expiresAt: new Date(w.kernel.clock.nowMs() + 60_000).toISOString() });
  await w.kernel.reconcileUntilSettled();
  const ready = async () => {
    const found = await w.kernel.resources.get(ApiToken, { name: 'ci' });
    return found?.status?.conditions?.find(({ type }) => type === 'Ready')?.reason;
  };
  t.is(await ready(), 'Issued');
  await w.kernel.advance(60_000);
  await t.throwsAsync(w.authenticate(token), { code: 'TAP_CREDENTIAL_EXPIRED', message: 'the token "ci" has expired' });
  await w.kernel.reconcileUntilSettled();
  t.is(await ready(), 'Expired');
  await w.kernel.advance(dayMs);
  await w.kernel.reconcileUntilSettled();
  t.is(await ready(), undefined);
});

test('when a token was used is written now and then, not for each use', async (t) => {
  const w = await world(t);
  const { token } = await w.make('ci');
  const read = async () => (await w.kernel.resources.get(ApiToken, { name: 'ci' })) ?? t.fail('it is gone');
  const before = await read();
  for (let count = 0; count < 100; count += 1) await w.authenticate(token);
  t.deepEqual(await read(), before, 'a use writes nothing');
  const usedAt = new Date(w.kernel.clock.nowMs()).toISOString();
  await w.kernel.advance(60_000);
  const written = await read();
  t.is((written as { status?: { lastUsedTime?: string } }).status?.lastUsedTime, usedAt);
  await w.authenticate(token);
  await w.kernel.advance(60_000);
  t.deepEqual(await read(), written, 'a use of a moment later is no news');
  await w.kernel.advance(300_000);
  const later = new Date(w.kernel.clock.nowMs()).toISOString();
  await w.authenticate(token);
  await w.kernel.advance(60_000);
  t.is(((await read()) as { status?: { lastUsedTime?: string } }).status?.lastUsedTime, later);
});

test('a token whose use cannot be written keeps that of no other one from being written, and is tried again', async (t) => {
  const w = await world(t);
  await w.make('one');
  await w.make('two');
  const uses = new LastUses();
  const atMs = w.kernel.clock.nowMs();
  for (const name of ['one', 'two']) uses.note(name, atMs);
  const warnings: number[] = [];
  const log = { warn: (_: string, { count }: { readonly count: number }) => void warnings.push(count) } as unknown as Context['log'];
  let isFailing = true;
  const patch: Resources['patch'] = async (kind, key, ...rest) => {
    if (isFailing && key.name === 'one') throw new Error('the store is away');
    return w.kernel.resources.patch(kind, key, ...rest);
  };
  const get: Resources['get'] = (kind, key) => w.kernel.resources.get(kind, key);
  const context = { asPlugin: { get, patch } as Resources, signal: new AbortController().signal, log };
  const usedAt = async (name: string) => (await w.kernel.resources.get(ApiToken, { name }))?.status?.lastUsedTime;
  await uses.write(context);
  t.deepEqual([await usedAt('one'), await usedAt('two'), warnings], [undefined, new Date(atMs).toISOString(), [1]]);
  isFailing = false;
  await uses.write(context);
  t.is(await usedAt('one'), new Date(atMs).toISOString());
});

test('an input that the action does not know is refused with its field', async (t) => {
  const w = await world(t);
  await w.make('ci');
  const answer = await w.kernel.http('POST', `${path}/ci/issue`, JSON.stringify({ user: 'root' }), { 'content-type': 'application/json' });
  t.is(answer.status, 422);
  t.regex(answer.text, /"field":"user"/);
  t.is((await w.kernel.http('POST', `${path}/nobody/issue`)).status, 404);
  const dry = await w.kernel.http('POST', `${path}/ci/issue?dryRun=All`);
  t.false(dry.text.includes('tapp_'));
});
