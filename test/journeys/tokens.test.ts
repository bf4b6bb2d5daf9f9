/** What people and programs do with API tokens, on a whole platform. */
import { request } from 'node:https';
import test from 'ava';
import { call, eventually, platformHome, storeOnly, type Connection } from '../platform-process.ts';
import { groupMayEverything, writePlugin } from '../plugin-package.ts';
import { printedToken } from '../printed-token.ts';
import { storeBytes } from '../store-bytes.ts';

async function home(t: { teardown(close: () => unknown): void }) {
  const made = await platformHome({
    plugins: { ...storeOnly, tokens: { use: '@tappaas/identity-token' }, builders: { use: './builders' } },
  });
  t.teardown(() => made.remove());
  await writePlugin(made.directory, 'builders', groupMayEverything('builders'));
  const platform = await made.start();
  t.teardown(() => platform.stop());
  return { home: made, platform };
}

/** Opens a watch; answers its status and when it has ended. */
function watch({ server, token, ca }: Connection, path: string): Promise<{ readonly status: number; readonly ended: Promise<void> }> {
  return new Promise((resolve, reject) => {
    const sent = request(new URL(path, server), { ca, headers: { authorization: `Bearer ${token}` } }, (answer) => {
      const ended = new Promise<void>((done) => void answer.once('close', done));
      answer.resume().on('error', () => {});
      resolve({ status: answer.statusCode ?? 0, ended });
    });
    sent.on('error', reject);
    sent.end();
  });
}

test('a token is made, logs in, says who it is, reads what it is good for, and ends when it is revoked', async (t) => {
  t.timeout(120_000);
  const { home: at, platform } = await home(t);
  const { server, ca } = platform.connection;
  const created = await at.tappaas(
    'token',
    'create',
    'ci',
    '--user',
    'ci',
    '--no-tenant',
    '--groups',
    'builders',
    '--namespaces',
    'default',
    '--expires',
    '12h',
  );
  const token = printedToken(created);
  const mine: Connection = { server, ca, token };
  const configMaps = '/api/v1/namespaces/default/configmaps';

  const login = await at.tappaas('login', server, '--token', token, '--certificate-authority', 'data/ca.pem');
  t.is(login.code, 0, login.stderr);
  const whoami = await at.tappaas('whoami');
  t.regex(whoami.stdout, /User +ci\nGroups +builders, system:authenticated\nGood for namespaces +default\n/);

  t.is((await call(mine, 'GET', configMaps)).status, 200);
  t.is((await call(mine, 'GET', '/api/v1/namespaces/kube-system/configmaps')).status, 403);
  t.is((await call(mine, 'GET', '/api/v1/configmaps')).status, 403);
  t.is((await call(mine, 'GET', '/metrics')).status, 403);
  t.is((await call(mine, 'GET', '/apis/identity.tappaas.dev/v1alpha1/apitokens')).status, 403);

  const review = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenReview', spec: { token } };
  const reviewed = await platform.api('POST', '/apis/authentication.k8s.io/v1/tokenreviews', review);
  t.like(reviewed.json<{ status: object }>().status, { authenticated: true, user: { username: 'ci' } });
  t.false(reviewed.text.includes(token));

  const open = await watch(mine, `${configMaps}?watch=1`);
  t.is(open.status, 200);
  t.is((await at.tappaas('logout')).code, 0);
  t.is((await at.tappaas('token', 'revoke', 'ci')).code, 0);
  // Open streams end.
  await open.ended;
  t.is((await call(mine, 'GET', configMaps)).status, 401);
  t.is((await at.tappaas('token', 'describe', 'ci')).code, 1);
});

test('a token survives a restart, and the store holds nothing that it could be made of', async (t) => {
  t.timeout(120_000);
  const { home: at, platform } = await home(t);
  const created = await at.tappaas('token', 'create', 'ci', '--user', 'ci', '--no-tenant', '--groups', 'builders', '-o', 'json');
  const { token } = JSON.parse(created.stdout) as { token: string };
  t.is((await call({ ...platform.connection, token }, 'GET', '/api/v1/configmaps')).status, 200);
  await platform.stop();
  const again = await at.start();
  t.teardown(() => again.stop());
  t.is((await call({ ...again.connection, token }, 'GET', '/api/v1/configmaps')).status, 200);
  const listed = await at.tappaas('token', 'list');
  t.regex(listed.stdout, /^ci +ci +Issued/m);
  const described = await at.tappaas('token', 'describe', 'ci');
  t.regex(described.stdout, /Namespaces +all/);
  const stored = await storeBytes(at);
  const [id, secret] = [token.slice(5, 17), token.slice(-43)];
  t.true(stored.includes(id), 'the id is searched for and found');
  t.false(stored.includes(secret));
});

test('who has a token of its own makes more for itself, and none for others', async (t) => {
  t.timeout(120_000);
  const { home: at, platform } = await home(t);
  const created = await at.tappaas('token', 'create', 'joe', '--user', 'joe', '--no-tenant', '--groups', 'builders,testers', '-o', 'json');
  const { token } = JSON.parse(created.stdout) as { token: string };
  const joe: Connection = { ...platform.connection, token };
  const path = '/apis/identity.tappaas.dev/v1alpha1/apitokens';
  const make = (name: string, spec: object) =>
    call(joe, 'POST', path, { apiVersion: 'identity.tappaas.dev/v1alpha1', kind: 'ApiToken', metadata: { name }, spec });
  t.is((await make('more', { groups: ['builders'] })).status, 201);
  t.deepEqual(
    (await make('as-joe', {})).json<{ spec: { groups: string[] } }>().spec.groups,
    ['builders', 'testers'],
    'it does what joe may do',
  );
  t.deepEqual((await make('less', { groups: [] })).json<{ spec: { groups: string[] } }>().spec.groups, []);
  t.is((await make('masters', { groups: ['system:masters'] })).status, 403);
  t.is((await make('others', { groups: ['others'] })).status, 403);
  t.is((await make('ann', { user: 'ann' })).status, 403);
  const issued = await call(joe, 'POST', `${path}/more/issue`, {});
  t.is(issued.status, 200, issued.text);
  const ofWhichTenant = await at.tappaas('token', 'create', 'ann', '--user', 'ann');
  t.not(ofWhichTenant.code, 0);
  t.regex(ofWhichTenant.stderr, /Add --tenant NAME, or --no-tenant/);
  t.is((await at.tappaas('token', 'create', 'ann', '--user', 'ann', '--tenant', 'acme', '--groups', 'others')).code, 0);
  const stolen = await call(joe, 'POST', `${path}/ann/issue`, {});
  t.is(stolen.status, 403, 'issuing somebody else’s token would give what it is good for');
  t.regex(stolen.text, /IDENTITY_TOKEN_EXCEEDS_RIGHTS|only administrators can/);
  await eventually(
    () => at.tappaas('token', 'list', '-o', 'json'),
    ({ stdout }) => (JSON.parse(stdout) as { items: unknown[] }).items.length === 5,
  );
});
