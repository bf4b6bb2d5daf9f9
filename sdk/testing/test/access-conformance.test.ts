/** The conformance suites for authenticators and authorizers detect faulty plugins. */
import { credentialErrors, definePlugin, families, type AccessRequest, type Authenticator, type Authorizer } from '@tappaas/sdk';
import { kubernetesHandle, type ConfigMap } from '@tappaas/sdk/kubernetes';
import test from 'ava';
import { conformance, load, type Case } from '../dist/index.js';

const ConfigMaps = kubernetesHandle<ConfigMap>('', 'ConfigMap');

async function failing(cases: readonly Case[]): Promise<readonly string[]> {
  const failed: string[] = [];
  for (const { title, run } of cases) await run().catch(() => failed.push(title));
  return failed;
}

const request: AccessRequest = { caller: { name: 'ann', groups: [] }, engine: 'platform', verb: 'get', path: '/metrics' };

function authorizer(decide: Authorizer['authorize']): readonly Case[] {
  const plugin = definePlugin({
    id: 'careless',
    setup: (host) => host.provide(families.authorizer, () => ({ authorize: decide })),
  });
  const objects = [{ kind: ConfigMaps, object: { name: 'a', namespace: 'default' } }];
  return conformance.authorizer(() => ({ plugin: load(plugin, {}), objects, questions: [{ request, decision: 'allow' }] }));
}

test('an authorizer that allows everybody everything, whatever there is, does not pass', async (t) => {
  t.timeout(180_000);
  t.deepEqual(await failing(authorizer(() => ({ decision: 'allow', reason: 'why not' }))), [
    'nobody and hostile names are allowed nothing, and are no fault of the plugin',
    'a verb, a kind or a path that no object names is not allowed',
    'while its objects cannot be read it allows nothing, and forbids what they forbid',
  ]);
});

function authenticator(authenticate: Authenticator['authenticate']): readonly Case[] {
  const plugin = definePlugin({
    id: 'careless',
    setup: (host) => host.provide(families.authenticator, () => ({ authenticate })),
  });
  const from = (token: string) => ({ headers: { authorization: `Bearer ${token}` }, remoteAddress: '127.0.0.1' });
  return conformance.authenticator(() => ({
    plugin: load(plugin, {}),
    good: () => ({ credentials: from('correct-horse'), caller: { name: 'ann', groups: [] } }),
    bad: () => [from('wrong-battery')],
  }));
}

test('an authenticator that knows everybody by what they say does not pass', async (t) => {
  const ann = { caller: { name: 'ann', groups: [] } };
  const careless = ({ headers }: { readonly headers: Readonly<Record<string, string>> }) => ({
    ...ann,
    credentialId: headers['authorization'] ?? '',
    expiresAtMs: 0,
  });
  t.deepEqual(await failing(authenticator(careless)), [
    'a good credential says whose it is, the same each time, under an id that does not tell it',
    'the end of a credential is ahead, in milliseconds',
    'a credential of its sort that is not good lets nobody in',
    'credentials of another sort are left to others',
    'a credential that is changed in one character lets nobody in',
    'a hostile credential lets nobody in and is no fault of the plugin',
    'while what it needs fails, a bad credential lets nobody in and a good one is not called bad',
  ]);
});

test('an authenticator that prints what it refuses does not pass', async (t) => {
  const talkative: Authenticator['authenticate'] = ({ headers: { authorization = '' } }) => {
    if (!authorization.startsWith('Bearer ')) return undefined;
    if (authorization === 'Bearer correct-horse') return { caller: { name: 'ann', groups: [] }, credentialId: 'token/1' };
    throw credentialErrors.TAP_CREDENTIAL_INVALID({ message: `nobody knows ${authorization}` });
  };
  t.deepEqual(await failing(authenticator(talkative)), ['no credential stands in an error or in a line of the log']);
});
