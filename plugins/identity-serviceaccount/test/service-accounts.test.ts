import {
  credentialErrors,
  definePlugin,
  families,
  jwtSkewMs,
  platformServices,
  type Credentials,
  type Identity,
  type Resources,
  type TokenService,
} from '@tappaas/sdk';
import { kubernetesHandle, type KubernetesSecret, type Namespace, type ServiceAccount } from '@tappaas/sdk/kubernetes';
import { load, startTestKernel, type TestKernel } from '@tappaas/testing';
import test from 'ava';
import { createAuthenticator } from '../dist/authenticator.js';
import identityServiceaccount from '../dist/index.js';
import { ownAccount } from '../dist/own-accounts.js';

const serviceAccounts = kubernetesHandle<ServiceAccount>('', 'ServiceAccount');
const secrets = kubernetesHandle<KubernetesSecret>('', 'Secret');
const namespaces = kubernetesHandle<Namespace>('', 'Namespace');
const path = '/api/v1/namespaces/shop/serviceaccounts/web/token';
const json = { 'content-type': 'application/json' };

interface World {
  readonly kernel: TestKernel;
  readonly tokens: TokenService;
  readonly authenticate: (token: string, extra?: Partial<Credentials>) => Promise<Identity | undefined>;
  readonly request: (
    spec?: object,
    query?: string,
    metadata?: unknown,
  ) => Promise<{ readonly status: number; readonly text: string; readonly token: string }>;
}

async function world(t: { teardown(close: () => unknown): void }): Promise<World> {
  let ask: World['authenticate'] = async () => undefined;
  let tokens: TokenService | undefined;
  const requester = definePlugin({
    id: 'asker',
    needs: { authenticators: families.authenticator, tokens: platformServices.tokens },
    setup(host, _, needs) {
      host.onStart(async (context) => {
        ({ tokens } = needs);
        ask = async (token, extra = {}) => {
          const credentials = { headers: { authorization: `Bearer ${token}` }, remoteAddress: '127.0.0.1', ...extra };
          return needs.authenticators.get('serviceaccounts')?.authenticate(credentials, context);
        };
      });
    },
  });
  const kernel = await startTestKernel({ plugins: [load(identityServiceaccount, {}, { id: 'serviceaccounts' }), load(requester, {})] });
  t.teardown(() => kernel.stop());
  await kernel.resources.create(namespaces, { metadata: { name: 'shop', labels: { 'tappaas.dev/tenant': 'acme' } } });
  await kernel.resources.create(serviceAccounts, { metadata: { name: 'web', namespace: 'shop' } });
  if (tokens === undefined) throw new Error('the platform gives no tokens');
  return {
    kernel,
    tokens,
    authenticate: (token, extra) => ask(token, extra),
    async request(spec, query = '', metadata) {
      const body = JSON.stringify({ apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', metadata, ...(spec && { spec }) });
      const { status, text } = await kernel.http('POST', path + query, body, json);
      return { status, text, token: status === 200 ? (JSON.parse(text) as { status: { token: string } }).status.token : '' };
    },
  };
}

const claimsOf = (token: string) => JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as Record<string, unknown>;
const invalid = { code: 'TAP_CREDENTIAL_INVALID' };

test('a token of a service account says who it is, in which groups, and of which tenant', async (t) => {
  const w = await world(t);
  const { status, text, token } = await w.request();
  t.is(status, 200, text);
  const identity = await w.authenticate(token);
  t.deepEqual(identity?.caller, {
    name: 'system:serviceaccount:shop:web',
    groups: ['system:serviceaccounts', 'system:serviceaccounts:shop'],
    tenant: 'acme',
  });
  t.is(identity?.expiresAtMs, w.kernel.clock.nowMs() + 3_600_000 + jwtSkewMs, 'a minute after its exp, as clocks may differ');
  const answer = JSON.parse(text) as { readonly metadata: { readonly creationTimestamp?: unknown } };
  t.like(answer, { kind: 'TokenRequest', spec: { audiences: ['https://localhost'], expirationSeconds: 3600 } });
  t.like(answer.metadata, { name: 'web', namespace: 'shop' });
  t.is(typeof answer.metadata.creationTimestamp, 'string', 'no time that is null where the document has a text');
});

test('lifetimes are bounded on both sides', async (t) => {
  const w = await world(t);
  const short = await w.request({ expirationSeconds: 599 });
  t.is(short.status, 422);
  t.regex(short.text, /spec\.expirationSeconds/);
  const long = claimsOf((await w.request({ expirationSeconds: 10_000_000 })).token);
  t.is(Number(long['exp']) - Number(long['iat']), 86_400);
  const asked = claimsOf((await w.request({ expirationSeconds: 600 })).token);
  t.is(Number(asked['exp']) - Number(asked['iat']), 600);
});

test('what a request says beyond a TokenRequest is refused with its field', async (t) => {
  const w = await world(t);
  for (const [spec, field] of [
    [{ audience: 'x' }, 'spec.audience'],
    [{ audiences: 'x' }, 'spec.audiences'],
    [{ audiences: [''] }, 'spec.audiences[0]'],
    [{ expirationSeconds: '600' }, 'spec.expirationSeconds'],
    [{ boundObjectRef: { kind: 'Pod', apiVersion: 'v1', name: 'x' } }, 'spec.boundObjectRef.kind'],
    [{ boundObjectRef: { kind: 'Secret', apiVersion: 'v1', name: 'none' } }, 'spec.boundObjectRef.name'],
  ] as const) {
    const { status, text } = await w.request(spec);
    t.is(status, 422, text);
    t.true(text.includes(field), text);
  }
});

test('metadata of a request has to be that of the service account, and comes back with what else it says', async (t) => {
  const w = await world(t);
  const { uid } = (await w.kernel.resources.get(serviceAccounts, { namespace: 'shop', name: 'web' }))?.metadata ?? {};
  for (const [metadata, status, said] of [
    [{ name: 'other' }, 422, /metadata\.name: Invalid value: "other": must match the service account name if specified/],
    [{ namespace: 'other' }, 422, /metadata\.namespace: Invalid value: "other": must match the service account namespace if specified/],
    [{ uid: 'other' }, 409, /UID in the token request \(other\) does not match the UID of the service account/],
    [{ name: 7 }, 422, /metadata\.name/],
    ['web', 422, /metadata/],
    [{ labels: { a: 1 } }, 422, /metadata\.labels/],
    [{ nmae: 'web' }, 422, /metadata\.nmae/],
  ] as const) {
    const answer = await w.request(undefined, '', metadata);
    t.is(answer.status, status, answer.text);
    t.regex((JSON.parse(answer.text) as { message: string }).message, said);
  }
  t.is((await w.request(undefined, '', null)).status, 200);
  const metadata = { name: 'web', namespace: '', uid, labels: { a: 'b' }, creationTimestamp: null, finalizers: ['x'] };
  const { status, text } = await w.request(undefined, '', metadata);
  t.is(status, 200, text);
  const creationTimestamp = new Date(w.kernel.clock.nowMs()).toISOString().replace(/\.\d+Z$/, 'Z');
  t.deepEqual((JSON.parse(text) as { metadata: object }).metadata, {
    name: 'web',
    namespace: 'shop',
    uid,
    creationTimestamp,
    labels: { a: 'b' },
  });
});

test('a token for another audience opens nothing here, and a review for that audience knows it', async (t) => {
  const w = await world(t);
  const { token } = await w.request({ audiences: ['vault', 'other'] });
  await t.throwsAsync(w.authenticate(token), invalid);
  const identity = await w.authenticate(token, { audiences: ['vault', 'x'] });
  t.deepEqual(identity?.audiences, ['vault']);
  const mine = await w.request();
  await t.throwsAsync(w.authenticate(mine.token, { audiences: ['vault'] }), invalid);
});

test('a token ends with its service account, and another one of that name does not bring it back', async (t) => {
  const w = await world(t);
  const { token } = await w.request();
  t.truthy(await w.authenticate(token));
  await w.kernel.resources.delete(serviceAccounts, { namespace: 'shop', name: 'web' });
  await t.throwsAsync(w.authenticate(token), invalid);
  await w.kernel.resources.create(serviceAccounts, { metadata: { name: 'web', namespace: 'shop' } });
  await t.throwsAsync(w.authenticate(token), invalid);
  t.truthy(await w.authenticate((await w.request()).token));
});

test('a service account whose namespace is going, or gone, is nobody: its tenant would be none', async (t) => {
  const w = await world(t);
  const { token } = await w.request();
  const asked = (place: object | undefined) => {
    const get: Resources['get'] = async (kind, key) => (kind.kind === 'Namespace' ? (place as never) : w.kernel.resources.get(kind, key));
    return ownAccount(token, ['https://localhost'], w.tokens, { asPlugin: { ...w.kernel.resources, get } });
  };
  const gone = { ...invalid, message: 'the namespace of the service account is gone' };
  await t.throwsAsync(asked(undefined), gone);
  const labels = { 'tappaas.dev/tenant': 'acme' };
  await t.throwsAsync(asked({ metadata: { name: 'shop', labels, deletionTimestamp: '2026-01-01T00:00:00Z' } }), gone);
  t.is((await asked({ metadata: { name: 'shop', labels } })).caller.tenant, 'acme');
});

test('of clusters that call themselves the same, one that cannot be asked keeps the tokens of the others from nobody', async (t) => {
  const issuer = 'https://kubernetes.default.svc';
  const token = `e30.${Buffer.from(JSON.stringify({ iss: issuer })).toString('base64url')}.x`;
  const cluster = (identify: () => Promise<Identity>) => ({ issuer, identify });
  const known: Identity = { caller: { name: 'west', groups: [] }, credentialId: 'west' };
  const knows = cluster(async () => known);
  const failing = (error: Error) =>
    cluster(async () => {
      throw error;
    });
  const down = failing(credentialErrors.TAP_ISSUER_UNAVAILABLE({ message: 'east does not answer' }));
  const unknown = failing(credentialErrors.TAP_CREDENTIAL_INVALID({ message: 'not of here' }));
  const expired = failing(credentialErrors.TAP_CREDENTIAL_EXPIRED({ message: 'it has expired' }));
  const asked = async (...clusters: ReturnType<typeof cluster>[]) => {
    const tokens = { issuer: async () => 'https://localhost' } as unknown as TokenService;
    const presented = { headers: { authorization: `Bearer ${token}` }, remoteAddress: '' };
    return createAuthenticator(tokens, clusters).authenticate(presented, {} as never);
  };
  t.is(await asked(down, knows), known);
  t.is(await asked(unknown, knows), known);
  await t.throwsAsync(asked(down, unknown), { message: 'east does not answer' }, 'it might have known the token');
  await t.throwsAsync(asked(unknown, down), { message: 'east does not answer' });
  await t.throwsAsync(asked(unknown, unknown), invalid);
  await t.throwsAsync(asked(expired, knows), { message: 'it has expired' }, 'whose key has signed it is known then');
});

test('a token that is bound to a secret ends with it', async (t) => {
  const w = await world(t);
  const key = { namespace: 'shop', name: 'binding' };
  const made = await w.kernel.resources.create(secrets, { metadata: key });
  const boundObjectRef = { kind: 'Secret', apiVersion: 'v1', name: 'binding' };
  t.is((await w.request({ boundObjectRef: { ...boundObjectRef, uid: 'other' } })).status, 409);
  const { text, token } = await w.request({ boundObjectRef });
  t.is(made.metadata.uid, (JSON.parse(text) as { spec: { boundObjectRef: { uid: string } } }).spec.boundObjectRef.uid);
  t.truthy(await w.authenticate(token));
  await w.kernel.resources.delete(secrets, key);
  await t.throwsAsync(w.authenticate(token), invalid);
});

test('a token expires, and a dry run makes none', async (t) => {
  const w = await world(t);
  const { token } = await w.request({ expirationSeconds: 600 });
  await w.kernel.advance(661_000);
  await t.throwsAsync(w.authenticate(token), { code: 'TAP_CREDENTIAL_EXPIRED' });
  t.is((await w.request({}, '?dryRun=All')).token, '');
});

test('what is no token of a service account is for others to know, and a forged one is refused', async (t) => {
  const w = await world(t);
  for (const other of ['', 'x', 'tapp_000000000000_x', 'a.b.c', `e30.${Buffer.from('{"iss":"https://other"}').toString('base64url')}.x`]) {
    t.is(await w.authenticate(other), undefined, other);
  }
  const forged = Buffer.from(
    JSON.stringify({ iss: 'https://localhost', sub: 'system:serviceaccount:shop:web', aud: 'https://localhost', exp: 1e10 }),
  );
  await t.throwsAsync(w.authenticate(`e30.${forged.toString('base64url')}.x`), invalid);
});

test('a plugin that has not declared that it signs cannot sign', async (t) => {
  const w = await world(t);
  await t.throwsAsync(w.tokens.sign({ sub: 'system:serviceaccount:shop:web' }, { lifetimeMs: 1000 }), { code: 'TAP_PLUGIN_PERMISSION' });
});
