/** Callers with client certificates, on a whole platform: people, revoked ones, front proxies, and the platform's own processes. */
import { X509Certificate } from 'node:crypto';
import { readFile, rename, writeFile } from 'node:fs/promises';
import { request } from 'node:https';
import { join } from 'node:path';
import test from 'ava';
import { issueAuthority, issueClient, type KeyPair } from '../../core/dist/api/certificates/certificate-issuer.js';
import { imitate, makeAuthority, revocationList } from '../../core/test/api/authorities.ts';
import { openSession, runsKubectl } from '../kubectl-session.ts';
import { eventually, platformHome, storeOnly, type Connection } from '../platform-process.ts';
import { groupMayEverything, writePlugin } from '../plugin-package.ts';

const withKubectl = runsKubectl ? test : test.skip;
const dayMs = 86_400_000;
const configMaps = '/api/v1/namespaces/default/configmaps';

interface Sent {
  readonly status: number;
  readonly user?: { readonly username: string; readonly groups: readonly string[] };
}

/** Asks who one is, over a connection of its own. */
function userOf({ server, ca }: Connection, pair?: KeyPair, headers: Readonly<Record<string, string | string[]>> = {}): Promise<Sent> {
  const body = JSON.stringify({ apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' });
  return new Promise((resolve, reject) => {
    const sent = request(
      new URL('/apis/authentication.k8s.io/v1/selfsubjectreviews', server),
      {
        method: 'POST',
        ca,
        agent: false,
        ...(pair && { cert: pair.certificate, key: pair.key }),
        headers: { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body), ...headers },
      },
      (answer) => {
        let text = '';
        answer.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
        answer.on('end', () => {
          const { status } = JSON.parse(text) as { status?: { userInfo?: Sent['user'] } };
          resolve({ status: answer.statusCode ?? 0, ...(status?.userInfo && { user: status.userInfo }) });
        });
      },
    );
    sent.on('error', reject);
    sent.end(body);
  });
}

async function home(t: { teardown(close: () => unknown): void }, config: object = {}) {
  const authority = await issueAuthority(Date.now());
  const at = await platformHome({
    plugins: {
      ...storeOnly,
      certificates: { use: '@tappaas/identity-mtls', config: { authorities: './clients.pem', ...config } },
      allow: { use: './allow' },
    },
  });
  t.teardown(() => at.remove());
  await writePlugin(at.directory, 'allow', groupMayEverything('devs'));
  /** Whole or not at all, as tools that renew certificates do it. */
  const put = async (name: string, text: string) => {
    await writeFile(join(at.directory, `${name}.new`), text);
    await rename(join(at.directory, `${name}.new`), join(at.directory, name));
  };
  await put('clients.pem', authority.certificate);
  const client = (name: string, groups: readonly string[] = ['devs'], lifetimeMs = dayMs, by = authority) =>
    issueClient(by, { name, groups }, Date.now(), lifetimeMs);
  return { at, authority, put, client };
}

withKubectl('kubectl works with a client certificate, whose subject says who it is', async (t) => {
  t.timeout(120_000);
  const { at, client } = await home(t);
  const platform = await at.start();
  t.teardown(() => platform.stop());
  const joe = await client('joe', ['devs', 'testers']);
  await writeFile(join(at.directory, 'joe.crt'), joe.certificate);
  await writeFile(join(at.directory, 'joe.key'), joe.key);
  await writeFile(join(at.directory, 'empty'), '{"apiVersion":"v1","kind":"Config"}');
  const session = openSession(join(at.directory, 'empty'), join(at.directory, 'joe-home'));
  const as = [
    ['--server', platform.connection.server],
    ['--certificate-authority', join(at.directory, 'data/ca.pem')],
    ['--client-certificate', join(at.directory, 'joe.crt')],
    ['--client-key', join(at.directory, 'joe.key')],
  ].flat();
  const whoami = await session.run([...as, 'auth', 'whoami', '-o', 'jsonpath={.status.userInfo}']);
  t.is(whoami.code, 0, whoami.stderr);
  t.like(JSON.parse(whoami.stdout), { username: 'joe', groups: ['devs', 'testers', 'system:authenticated'] });
  t.is((await session.run([...as, 'create', 'configmap', 'made-by-joe'])).code, 0);
  t.is((await session.run([...as, 'get', 'configmap', 'made-by-joe', '-o', 'name'])).stdout, 'configmap/made-by-joe\n');
});

test('a certificate lets in as soon as the reload that brings its authority is applied', async (t) => {
  t.timeout(120_000);
  const { at, client } = await home(t);
  const file = join(at.directory, 'tappaas.yaml');
  const whole = JSON.parse(await readFile(file, 'utf8')) as { readonly plugins: Readonly<Record<string, object>> };
  const { certificates: _, ...others } = whole.plugins;
  await writeFile(file, JSON.stringify({ ...whole, plugins: others }));
  const platform = await at.start();
  t.teardown(() => platform.stop());
  const joe = await client('joe');
  t.is((await userOf(platform.connection, joe)).status, 401);
  await writeFile(file, JSON.stringify(whole));
  t.is((await platform.api('POST', '/plugins/platform/reload')).status, 200);
  t.is((await userOf(platform.connection, joe)).user?.username, 'joe');
});

test('certificates of other authorities, for servers, and none at all let nobody in', async (t) => {
  t.timeout(120_000);
  const { at, client, put, authority } = await home(t);
  const platform = await at.start();
  t.teardown(() => platform.stop());
  const { connection } = platform;
  const other = await issueAuthority(Date.now());
  const unauthenticated = await client('joe', ['devs'], dayMs, other);
  t.is((await userOf(connection)).status, 401);
  t.is((await userOf(connection, unauthenticated)).status, 401);
  t.is((await userOf(connection, await client('joe', ['devs'], -1000))).status, 401, 'one that has expired');
  const [certificate, key] = await Promise.all(
    ['server.crt', 'server.key'].map((name) => readFile(join(at.directory, 'data/pki', name), 'utf8')),
  );
  t.is(
    (await userOf(connection, { certificate: certificate ?? '', key: key ?? '' })).status,
    401,
    'the platform’s own, which is for servers',
  );
  t.deepEqual((await userOf(connection, await client('system:masters', ['system:masters']))).status, 401, 'reserved names are nobody’s');
  t.deepEqual((await userOf(connection, await client('ann', ['system:masters', 'system:engine:local']))).user?.groups, [
    'system:authenticated',
  ]);

  await put('clients.pem', `${authority.certificate}\n${other.certificate}`);
  await eventually(
    () => userOf(connection, unauthenticated),
    ({ status }) => status === 201,
  );
  await put('clients.pem', other.certificate);
  await eventually(
    () => client('joe').then((pair) => userOf(connection, pair)),
    ({ status }) => status === 401,
  );
  await put('clients.pem', 'nonsense');
  await eventually(
    async () => platform.output(),
    (text) => /clients\.pem: expected 1 to 1000 certificates, found 0/.test(text),
  );
  t.is((await userOf(connection, unauthenticated)).status, 201, 'a file that cannot be used changes nothing');
});

test('a revoked certificate is refused without a restart, its open streams end, and an outdated list refuses all', async (t) => {
  t.timeout(120_000);
  const { at, authority, put, client } = await home(t, { revocations: './clients.crl' });
  const [joe, ann] = await Promise.all([client('joe'), client('ann')]);
  await put('clients.crl', await revocationList(authority, [], Date.now() + dayMs));
  const platform = await at.start();
  t.teardown(() => platform.stop());
  const { connection } = platform;
  const { server, ca } = connection;
  t.is((await userOf(connection, joe)).status, 201);
  const { ended } = await new Promise<{ readonly ended: Promise<void> }>((resolve, reject) => {
    const watch = request(new URL(`${configMaps}?watch=1`, server), { ca, cert: joe.certificate, key: joe.key }, (answer) => {
      answer.resume().on('error', () => {});
      if (answer.statusCode === 200) resolve({ ended: new Promise((done) => void answer.once('close', done)) });
      else reject(new Error(`the watch was answered ${answer.statusCode}`));
    });
    watch.on('error', reject);
    watch.end();
  });
  const evil = await issueAuthority(Date.now());
  await put(
    'clients.crl',
    (await revocationList(authority, [joe], Date.now() + dayMs)) + (await revocationList(evil, [ann], Date.now() + dayMs)),
  );
  await ended;
  t.is((await userOf(connection, joe)).status, 401);
  t.is((await userOf(connection, ann)).status, 201, 'a list that the authority has not signed says nothing');
  await put('clients.crl', await revocationList(authority, [], Date.now() - 1));
  await eventually(
    () => userOf(connection, ann),
    ({ status }) => status === 401,
  );
});

test('a revoked certificate gets in neither with the authority that signed it nor with one that is merely called so', async (t) => {
  t.timeout(120_000);
  const { at, put, client } = await home(t, { revocations: './clients.crl' });
  const root = await makeAuthority('root');
  const middle = await makeAuthority('middle', root);
  const joe = await client('joe', ['devs'], dayMs, middle);
  const withMiddle = { ...joe, certificate: joe.certificate + middle.certificate };
  const withImitation = { ...joe, certificate: joe.certificate + (await imitate(middle)) };
  const lists = async (ofMiddle: readonly KeyPair[], ofRoot: readonly KeyPair[] = []) =>
    put('clients.crl', (await revocationList(root, ofRoot)) + (await revocationList(middle, ofMiddle)));
  const answered = (pair: KeyPair, expected: number) =>
    eventually(
      () => userOf(connection, pair),
      ({ status }) => status === expected,
    );
  await put('clients.pem', root.certificate);
  await lists([]);
  const platform = await at.start();
  t.teardown(() => platform.stop());
  const { connection } = platform;
  t.is((await userOf(connection, withMiddle)).status, 201);
  await lists([joe]);
  await answered(withMiddle, 401);
  await lists([], [middle]);
  t.is((await userOf(connection, withMiddle)).status, 401);

  await put('clients.pem', root.certificate + middle.certificate);
  await lists([]);
  await answered(joe, 201);
  await lists([joe]);
  await answered(joe, 401);
  t.is((await userOf(connection, withImitation)).status, 401);

  await put('clients.crl', await revocationList(root, []));
  await eventually(
    async () => platform.output(),
    (text) => /an authority has no revocation list.*middle/.test(text),
  );
  t.is((await userOf(connection, joe)).status, 401);
});

test('a front proxy speaks for others with its own certificate, and nobody else does', async (t) => {
  t.timeout(120_000);
  const { at, client } = await home(t, { frontProxy: { names: ['front-proxy'] }, lifetimeHoursMax: 48 });
  const platform = await at.start();
  t.teardown(() => platform.stop());
  const { connection } = platform;
  const [proxy, joe] = await Promise.all([client('front-proxy', ['proxies']), client('joe')]);
  const headers = { 'x-remote-user': 'ann', 'x-remote-group': ['ops', 'a, devs'] };
  t.deepEqual((await userOf(connection, proxy, headers)).user, { username: 'ann', groups: ['ops', 'a, devs', 'system:authenticated'] });
  t.deepEqual(
    (await userOf(connection, proxy, { 'x-remote-user': 'ann', 'x-remote-group': 'ops, a, devs' })).user?.groups,
    ['ops, a, devs', 'system:authenticated'],
    'a comma in the name of a group makes no other group',
  );
  t.is((await userOf(connection, joe, headers)).user?.username, 'joe');
  const byPageOf = (site: string) => userOf(connection, joe, { 'sec-fetch-site': site, 'content-type': 'text/plain' });
  t.is((await byPageOf('cross-site')).status, 401, 'a browser sends a certificate along for whatever page');
  t.not((await byPageOf('same-origin')).status, 401);
  t.is((await userOf(connection, undefined, headers)).status, 401);
  t.is((await userOf(connection, proxy)).user?.username, 'front-proxy');
  t.is((await userOf(connection, proxy, { ...headers, 'x-remote-user': ['ann', 'joe'] })).status, 401);
  t.is(
    (await userOf(connection, proxy, { 'x-remote-user': 'ann', 'x-remote-group': 'system:masters' })).user?.groups.includes(
      'system:masters',
    ),
    false,
  );
  t.is((await userOf(connection, await client('joe', ['devs'], 3 * dayMs))).status, 401, 'it lives too long');
});

test('the platform’s own processes have certificates of its own authority, good on their engine alone', async (t) => {
  t.timeout(120_000);
  const at = await platformHome();
  t.teardown(() => at.remove());
  const platform = await at.start();
  t.teardown(() => platform.stop());
  const file = await eventually(
    () =>
      readFile(join(at.directory, 'data/local/agent/connection.json'), 'utf8').catch(() =>
        readFile(join(at.directory, 'data/local/connection.json'), 'utf8'),
      ),
    (text) => text !== '',
  );
  const agent = JSON.parse(file) as { token?: string; clientCertificate: KeyPair };
  t.is(agent.token, undefined);
  const { subject, validTo } = new X509Certificate(agent.clientCertificate.certificate);
  t.regex(subject, /CN=system:node:local/);
  t.true(Date.parse(validTo) < Date.now() + dayMs + 1000);
  const whoami = await userOf(platform.connection, agent.clientCertificate);
  t.deepEqual(whoami.user, { username: 'system:node:local', groups: ['system:nodes', 'system:engine:local', 'system:authenticated'] });
  await eventually(
    async () =>
      (await platform.api('GET', '/clusters/local/api/v1/nodes')).json<{
        items: { status?: { conditions?: { type: string; status: string }[] } }[];
      }>(),
    ({ items }) =>
      items.some(({ status }) => status?.conditions?.some(({ type, status: is }) => type === 'Ready' && is === 'True') === true),
  );
});
