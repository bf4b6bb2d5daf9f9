/** The first administrator's token has come into other hands, or is lost. */
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { toBoth } from '../pinned.ts';
import { call, eventually, platformHome, storeOnly, type Connection } from '../platform-process.ts';
import { printedToken } from '../printed-token.ts';
import { collection, untilBothAnswer } from '../worker-load.ts';

const rbac = 'rbac.authorization.k8s.io';
const statusFor = async (connection: Connection, token: string) => (await call({ ...connection, token }, 'GET', '/api')).status;

test.serial(
  'a token that is replaced is refused by every worker and ends its streams, and the new one is good after a restart, too',
  async (t) => {
    t.timeout(4 * 60_000);
    const home = await platformHome({ plugins: storeOnly, api: { workers: 2 } });
    t.teardown(() => home.remove());
    const first = await home.start();
    const { connection } = first;
    const streams = await Promise.all(
      toBoth(t, connection).map((worker) => worker.stream(`${collection}?watch=1&sendInitialEvents=false`)),
    );
    const rotate = () => call(connection, 'POST', '/plugins/platform/admin-token');
    const answers = await Promise.all([rotate(), rotate()]);
    const made = answers.flatMap((answer) => (answer.status === 200 ? [answer.json<{ readonly token: string }>().token] : []));
    t.true(made.length > 0, 'of two at once the later one may be refused, as its token has ended');
    const started = Date.now();
    await Promise.all(streams.map(({ over }) => over));
    t.true(Date.now() - started < 10_000, 'streams end within ten seconds');
    await untilBothAnswer(connection, 401);
    const kept = await readFile(join(home.directory, 'data/kubeconfig'), 'utf8');
    const token = made.find((each) => kept.includes(each)) ?? '';
    t.not(token, '', 'the file holds the one that is good');
    await untilBothAnswer({ ...connection, token }, 200);
    t.is(await first.stop(), 0);
    const second = await home.start();
    t.teardown(() => second.stop());
    t.is(await statusFor(second.connection, token), 200);
    t.is(await statusFor(second.connection, connection.token), 401);
  },
);

test.serial('a login goes on with the new token, and roles do not replace it', async (t) => {
  t.timeout(2 * 60_000);
  const plugins = { ...storeOnly, tokens: { use: '@tappaas/identity-token' }, roles: { use: '@tappaas/access-rbac' } };
  const home = await platformHome({ plugins });
  t.teardown(() => home.remove());
  const platform = await home.start();
  t.teardown(() => platform.stop());
  const { connection } = platform;
  const bound = await platform.api('POST', `/apis/${rbac}/v1/clusterrolebindings`, {
    apiVersion: `${rbac}/v1`,
    kind: 'ClusterRoleBinding',
    metadata: { name: 'olga' },
    roleRef: { apiGroup: rbac, kind: 'ClusterRole', name: 'platform-admin' },
    subjects: [{ apiGroup: rbac, kind: 'User', name: 'olga' }],
  });
  t.is(bound.status, 201, bound.text);
  const token = async (...words: readonly string[]) => printedToken(await home.tappaas('token', 'create', ...words));
  const [olga, scoped] = [await token('olga', '--user', 'olga', '--no-tenant'), await token('scoped', '--verbs', 'get,post,create')];
  for (const one of [olga, scoped]) {
    const refused = await call({ ...connection, token: one }, 'POST', '/plugins/platform/admin-token');
    t.is(refused.status, 403, refused.text);
  }
  const denied = await call({ ...connection, token: olga }, 'POST', '/plugins/platform/admin-token');
  t.regex(denied.text, /TAP_ADMIN_TOKEN_FORBIDDEN/);
  t.is(await statusFor(connection, connection.token), 200, 'nothing was replaced');
  await home.tappaas('login', connection.server, '--certificate-authority', 'data/ca.pem', '--token', connection.token);
  const rotated = await home.tappaas('token', 'rotate-admin');
  t.regex(rotated.stdout, /^tapp_\S+\n\nThe old token of the first administrator is refused from now on\./);
  t.is(await statusFor(connection, connection.token), 401);
  t.is((await home.tappaas('plugins')).code, 0);
});

test.serial('a token that is lost is replaced as the platform starts', async (t) => {
  t.timeout(2 * 60_000);
  const home = await platformHome({ plugins: storeOnly });
  t.teardown(() => home.remove());
  const first = await home.start();
  t.is(await first.stop(), 0);
  await rm(join(home.directory, 'data/kubeconfig'));
  const child = home.begin(['up', '--new-admin-token', '-o', 'json']);
  child.stderr.resume();
  let text = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
  const ended = new Promise((done) => void child.once('close', done));
  const { api: server, token } = await eventually(
    async () => JSON.parse(text) as { api: string; token: string },
    ({ token: made }) => made !== undefined,
  );
  const connection = { ...first.connection, server };
  t.is(await statusFor(connection, token), 200);
  t.is(await statusFor(connection, first.connection.token), 401);
  t.true((await readFile(join(home.directory, 'data/kubeconfig'), 'utf8')).includes(token));
  child.kill('SIGINT');
  t.is(await ended, 0);
});
