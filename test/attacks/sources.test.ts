/** What people of one tenant try on source that another one has uploaded. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { createClient, type Client } from '@tappaas/client';
import { packSource, type SourceArchive } from '../../core/dist/cli/source-archive.js';
import { call, eventually, type Connection } from '../platform-process.ts';
import { make, runPlatform, type RunningPlatform } from './running-platform.ts';

const rbac = '/apis/rbac.authorization.k8s.io/v1';
const builds = (namespace: string) => `/apis/apps.tappaas.dev/v1alpha1/namespaces/${namespace}/builds`;

interface Built {
  readonly status?: { readonly phase?: string; readonly conditions?: readonly { readonly message: string }[] };
}

let running: RunningPlatform;
let dora: Connection;
let rita: Connection;
let source: SourceArchive;
const undo: (() => Promise<unknown>)[] = [];

test.before('two tenants are there: acme with dora and rival with rita', async (t) => {
  t.timeout(180_000);
  const directory = await mkdtemp(join(tmpdir(), 'tappaas-source-'));
  undo.push(() => rm(directory, { recursive: true, force: true }));
  await writeFile(join(directory, 'server.js'), 'console.log("written by acme")');
  source = await packSource(directory);
  running = await runPlatform({ local: null });
  undo.unshift(() => running.stop());
  dora = await running.as('dora', { tenant: 'acme' });
  rita = await running.as('rita', { tenant: 'rival' });
  for (const [name, tenant, user] of [
    ['shop', 'acme', 'dora'],
    ['rival-shop', 'rival', 'rita'],
  ] as const) {
    await make(running.connection, '/api/v1/namespaces', { metadata: { name, labels: { 'tappaas.dev/tenant': tenant } } });
    await make(running.connection, `${rbac}/namespaces/${name}/rolebindings`, {
      metadata: { name: 'developers' },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'developer' },
      subjects: [{ kind: 'User', name: user, apiGroup: 'rbac.authorization.k8s.io' }],
    });
  }
  await eventually(
    () => call(rita, 'GET', builds('rival-shop')),
    ({ status }) => status === 200,
  );
});

test.after.always('the platform is stopped', async () => {
  for (const stop of undo) await stop();
});

const clientOf = ({ server, token, ca }: Connection): Client => createClient({ server, token, certificateAuthority: ca.toString() });
const pathOf = (namespace: string) => `/plugins/builds/sources/${source.digest}?namespace=${namespace}`;

async function upload(connection: Connection, namespace: string): Promise<number> {
  const client = clientOf(connection);
  const { status } = await client.send(pathOf(namespace), { method: 'PUT', body: source.bytes, contentType: 'application/gzip' });
  await client.close();
  return status;
}

async function built(connection: Connection, namespace: string, name: string) {
  await make(connection, builds(namespace), {
    apiVersion: 'apps.tappaas.dev/v1alpha1',
    kind: 'Build',
    metadata: { name },
    spec: { application: name, builder: 'source', source: { digest: source.digest } },
  });
  const answer = await eventually(
    async () => (await call(connection, 'GET', `${builds(namespace)}/${name}`)).json<Built>(),
    ({ status }) => status?.phase === 'Succeeded' || status?.phase === 'Failed',
  );
  return { phase: answer.status?.phase, messages: (answer.status?.conditions ?? []).map(({ message }) => message).join('; ') };
}

test('what one tenant has uploaded another one neither builds nor learns of, until it has sent it itself', async (t) => {
  t.is(await upload(dora, 'shop'), 201);
  t.is((await call(dora, 'GET', pathOf('shop'))).status, 204);
  t.is((await built(dora, 'shop', 'own')).phase, 'Succeeded');

  for (const method of ['GET', 'HEAD']) {
    for (const namespace of ['shop', 'rival-shop', 'nowhere']) t.is((await call(rita, method, pathOf(namespace))).status, 404, namespace);
  }
  const stolen = await built(rita, 'rival-shop', 'stolen');
  t.is(stolen.phase, 'Failed');
  t.regex(stolen.messages, /no source sha256:[0-9a-f]{64} was uploaded for namespace rival-shop/);

  t.is(await upload(rita, 'rival-shop'), 201);
  t.is((await call(rita, 'GET', pathOf('rival-shop'))).status, 204);
  t.is((await call(rita, 'GET', pathOf('shop'))).status, 404);
  t.is((await built(rita, 'rival-shop', 'rightful')).phase, 'Succeeded');
});

test('an upload says for which namespace it is', async (t) => {
  for (const namespace of ['', '../shop', 'Shop', 'a/b', 'a'.repeat(64)]) {
    const answer = await call(dora, 'GET', pathOf(encodeURIComponent(namespace)));
    t.is(answer.status, 400, namespace);
    t.regex(answer.text, /CONTROLLER_BUILD_NAMESPACE_MISSING/);
  }
});
