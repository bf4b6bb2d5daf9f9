/** To whom the token of a login goes. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { stringify } from 'yaml';
import { runCommandLine } from '../../dist/cli/command-line.js';
import { selfSigned } from '../cluster/certificates.ts';

interface Listener {
  readonly url: string;
  /** What was sent as authorization. */
  readonly received: (string | undefined)[];
}

async function listen(t: ExecutionContext): Promise<Listener> {
  const received: (string | undefined)[] = [];
  const server = createServer(({ headers }, response) => {
    received.push(headers.authorization);
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify({ columnDefinitions: [], rows: [], items: [] }));
  });
  await new Promise<void>((listening) => void server.listen(0, '127.0.0.1', listening));
  t.teardown(() => void server.close());
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, received };
}

async function run(cwd: string, env: Readonly<Record<string, string>>, ...words: readonly string[]) {
  let [stdout, stderr] = ['', ''];
  const code = await runCommandLine({
    arguments: words,
    env: { TAPPAAS_HOME: cwd, ...env },
    cwd,
    stdout: { write: (text) => (stdout += text) },
    stderr: { write: (text) => (stderr += text) },
    input: () => process.stdin,
    onResize: () => undefined,
    nowMs: () => 0,
    sections: async () => ({}),
    audit: () => import('../../dist/telemetry/audit/offline.js'),
    startPlatform: async () => 0,
  });
  return { code, stdout, stderr };
}

/** A directory with what a login, or the first start of a platform, has left there. */
async function place(t: ExecutionContext, name: string, text: string): Promise<string> {
  const cwd = await mkdtemp(join(tmpdir(), 'tappaas-connect-'));
  t.teardown(() => rm(cwd, { recursive: true, force: true }));
  await mkdir(join(cwd, 'data'));
  await writeFile(join(cwd, name), text);
  return cwd;
}

const kubeconfig = (server: string): string =>
  stringify({
    clusters: [{ name: 'tappaas', cluster: { server } }],
    users: [{ name: 'admin', user: { token: 'tapp_own' } }],
    contexts: [{ name: 'tappaas', context: { cluster: 'tappaas', user: 'admin' } }],
  });

test('the token of a login goes to the platform that it is for, and to no other', async (t) => {
  const [own, other] = await Promise.all([listen(t), listen(t)]);
  const logins = [
    await place(t, 'login.json', JSON.stringify({ server: own.url, token: 'tapp_own' })),
    await place(t, 'data/kubeconfig', kubeconfig(own.url)),
  ];
  for (const cwd of logins) {
    t.is((await run(cwd, {}, 'apps')).code, 0);
    t.is((await run(cwd, {}, 'apps', '--server', `${own.url}/`)).code, 0);
    const elsewhere = [
      await run(cwd, {}, 'apps', '--server', other.url),
      await run(cwd, { TAPPAAS_SERVER: other.url }, 'apps'),
      await run(cwd, {}, 'apps', '--server', `${own.url}/gateway`),
    ];
    for (const { code, stderr } of elsewhere) {
      t.is(code, 64);
      t.regex(stderr, /the login is for \S+, and its token is not sent to \S+\n {2}Give the token of \S+ in \$TAPPAAS_TOKEN/);
    }
  }
  t.deepEqual(own.received, Array(4).fill('Bearer tapp_own'));
  t.deepEqual(other.received, []);
  t.is((await run(logins[0] ?? '', { TAPPAAS_TOKEN: 'tapp_other' }, 'apps', '--server', other.url)).code, 0);
  t.deepEqual(other.received, ['Bearer tapp_other']);
});

test('a command says that it runs as the administrator of the directory once a login was not finished, or is over', async (t) => {
  const own = await listen(t);
  const cwd = await place(t, 'data/kubeconfig', kubeconfig(own.url));
  const said = async (env: Readonly<Record<string, string>> = {}): Promise<string> => {
    const { code, stderr } = await run(cwd, env, 'apps');
    t.is(code, 0, stderr);
    return stderr;
  };
  t.is(await said(), '', 'nobody has tried to be somebody else');
  t.is((await run(cwd, {}, 'login', 'https://127.0.0.1:1', '--token', 'tapp_ann')).code, 69);
  const as = 'so this runs as the administrator, with the token in data/kubeconfig; tappaas login SERVER logs you in\n';
  t.is(await said(), `tappaas: the login at https://127.0.0.1:1 was not finished, ${as}`);
  t.is(await said({ TAPPAAS_TOKEN: 'tapp_ann' }), '', 'this is not the administrator’s token');
  await writeFile(join(cwd, 'login.json'), JSON.stringify({ server: own.url, token: 'tapp_ann' }));
  t.is(await said(), '');
  t.is((await run(cwd, {}, 'logout')).code, 0);
  t.is(await said(), `tappaas: you have logged out of ${own.url}, ${as}`);
  t.deepEqual(
    own.received,
    ['own', 'own', 'ann', 'ann', 'own'].map((owner) => `Bearer tapp_${owner}`),
  );
});

test('a login that succeeds ends what was said of the one before', async (t) => {
  const { certificate, key } = await selfSigned('platform');
  const platform = createSecureServer({ cert: certificate, key }, (_, response) => response.end('{}'));
  await new Promise<void>((listening) => void platform.listen(0, '127.0.0.1', listening));
  t.teardown(() => platform.closeAllConnections());
  t.teardown(() => void platform.close());
  const server = `https://127.0.0.1:${(platform.address() as AddressInfo).port}`;
  const cwd = await place(t, 'data/kubeconfig', kubeconfig((await listen(t)).url));
  await writeFile(join(cwd, 'ca.pem'), certificate);
  t.is((await run(cwd, {}, 'login', server, '--token', 'tapp_ann')).code, 69, 'its authority is not known');
  const { code, stderr } = await run(cwd, {}, 'login', server, '--token', 'tapp_ann', '--certificate-authority', 'ca.pem');
  t.is(code, 0, stderr);
  await rm(join(cwd, 'login.json'));
  t.is((await run(cwd, {}, 'apps')).stderr, '');
});

test('nothing takes the place of a stored login that cannot be read', async (t) => {
  const own = await listen(t);
  const damaged = await place(t, 'data/kubeconfig', kubeconfig(own.url));
  await writeFile(join(damaged, 'login.json'), '{"server":');
  const unreadable = await place(t, 'data/kubeconfig', kubeconfig(own.url));
  await mkdir(join(unreadable, 'login.json'));
  for (const [cwd, why] of [
    [damaged, 'is damaged'],
    [unreadable, 'cannot be read (EISDIR)'],
  ] as const) {
    const { code, stderr } = await run(cwd, {}, 'apps');
    t.is(code, 69);
    t.true(stderr.includes(`the stored login ${join(cwd, 'login.json')} ${why}`), stderr);
    t.true(stderr.includes('Log in again with tappaas login SERVER, or remove it with tappaas logout.'), stderr);
  }
  t.deepEqual(own.received, []);
  t.is((await run(damaged, { TAPPAAS_TOKEN: 'tapp_ann', TAPPAAS_SERVER: own.url }, 'apps')).code, 0, 'it is not needed');
  t.is((await run(damaged, {}, 'logout')).code, 0);
  const { code, stderr } = await run(damaged, {}, 'apps');
  t.is(code, 0);
  t.regex(stderr, /^tappaas: you have logged out, so this runs as the administrator/);
});

test('a directory in which no login can be stored is named before anybody is asked', async (t) => {
  const own = await listen(t);
  const cwd = await place(t, 'occupied', '');
  const env = { TAPPAAS_HOME: join(cwd, 'occupied', 'home') };
  for (const words of [['login', own.url.replace('http:', 'https:'), '--token', 'tapp_ann'], ['logout']]) {
    const { code, stderr } = await run(cwd, env, ...words);
    t.is(code, 1);
    t.is(
      stderr,
      `tappaas: no login can be stored in ${env.TAPPAAS_HOME} (ENOTDIR)\n  Name a directory of yours in $TAPPAAS_HOME, or let this user write there.\n`,
    );
  }
  t.deepEqual(own.received, []);
});
