/** To whom the token of a login goes. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { stringify } from 'yaml';
import { runCommandLine } from '../../dist/cli/command-line.js';

interface Listener {
  readonly url: string;
  /** What was sent as authorization. */
  readonly heard: (string | undefined)[];
}

async function listen(t: ExecutionContext): Promise<Listener> {
  const heard: (string | undefined)[] = [];
  const server = createServer(({ headers }, response) => {
    heard.push(headers.authorization);
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify({ columnDefinitions: [], rows: [], items: [] }));
  });
  await new Promise<void>((listening) => void server.listen(0, '127.0.0.1', listening));
  t.teardown(() => void server.close());
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, heard };
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
  t.deepEqual(own.heard, Array(4).fill('Bearer tapp_own'));
  t.deepEqual(other.heard, []);
  t.is((await run(logins[0] ?? '', { TAPPAAS_TOKEN: 'tapp_other' }, 'apps', '--server', other.url)).code, 0);
  t.deepEqual(other.heard, ['Bearer tapp_other']);
});
