import { writeFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import type { TLSSocket } from 'node:tls';
import { createClusterClient, type ClusterClient } from '../../dist/cluster/client.js';
import type { Connection } from '../../dist/cluster/connection.js';
import { connectionOfKubeconfig } from '../../dist/cluster/kubeconfig.js';
import { VirtualClock } from '../virtual-clock.ts';
import { ApiServer, type Fault } from './api-server.ts';
import { selfSigned } from './certificates.ts';
import { podResource as pods } from './set-up.ts';

const web = { namespace: 'shop', name: 'web' };
const identity = await selfSigned('server');
const person = await selfSigned('person');

async function startTls(t: { teardown(work: () => Promise<void>): void }) {
  const tls = { cert: identity.certificate, key: identity.key, ca: person.certificate, requestCert: true, rejectUnauthorized: false };
  const server = new ApiServer({ tls });
  const url = `https://127.0.0.1:${await server.listen()}`;
  server.put('web');
  const names: (string | undefined)[] = [];
  server.always = ((_, response) => {
    const socket = response.socket as TLSSocket;
    names.push(socket.authorized ? String(socket.getPeerCertificate().subject.CN) : undefined);
    return false;
  }) satisfies Fault;
  t.teardown(() => server.close());
  const clientOf = (connect: () => Promise<Connection>): ClusterClient => {
    const client = createClusterClient({ connect, clock: new VirtualClock(), backoff: () => 100, userAgent: () => 'tests' });
    t.teardown(() => client.close());
    return client;
  };
  return { server, url, names, clientOf };
}

test('a server is trusted by the pinned authority alone', async (t) => {
  const { url, clientOf, server } = await startTls(t);
  const trusting = clientOf(async () => ({ server: url, certificateAuthority: identity.certificate }));
  t.is((await trusting.get(pods, web)).metadata.name, 'web');
  const others = clientOf(async () => ({ server: url, certificateAuthority: person.certificate }));
  await t.throwsAsync(others.get(pods, web), { code: 'TAP_CLUSTER_UNTRUSTED' });
  const system = clientOf(async () => ({ server: url }));
  await t.throwsAsync(system.get(pods, web), { code: 'TAP_CLUSTER_UNTRUSTED' });
  t.is(server.seen.length, 1, 'nothing was sent to a server that is not trusted');
});

test('a server whose certificate has another name is not trusted, unless that name is expected', async (t) => {
  const { url, clientOf } = await startTls(t);
  const authority = { certificateAuthority: identity.certificate };
  const byName = url.replace('127.0.0.1', 'localhost');
  await t.throwsAsync(clientOf(async () => ({ server: byName, ...authority })).get(pods, web), { code: 'TAP_CLUSTER_UNTRUSTED' });
  const expecting = clientOf(async () => ({ server: byName, ...authority, serverName: 'cluster.test' }));
  t.is((await expecting.get(pods, web)).metadata.name, 'web');
});

test('a hundred requests make at most two TLS handshakes', async (t) => {
  const { url, clientOf, server } = await startTls(t);
  const client = clientOf(async () => ({ server: url, certificateAuthority: identity.certificate }));
  for (let n = 0; n < 100; n += 1) await client.get(pods, web);
  t.true(server.connections <= 2, `${server.connections} handshakes`);
});

test('a client certificate and a token are shown to the server', async (t) => {
  const { url, names, clientOf, server } = await startTls(t);
  const clientCertificate = { certificate: person.certificate, key: person.key };
  const client = clientOf(async () => ({ server: url, certificateAuthority: identity.certificate, clientCertificate, token: 'secret' }));
  await client.get(pods, web);
  t.deepEqual(names, ['person']);
  t.is(server.seen[0]?.headers.authorization, 'Bearer secret');
});

function kubeconfig(url: string, user: object, cluster: object = {}): string {
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'one',
    contexts: [{ name: 'one', context: { cluster: 'cluster', user: 'person' } }],
    clusters: [{ name: 'cluster', cluster: { server: url, ...cluster } }],
    users: [{ name: 'person', user }],
  });
}

const base64 = (text: string): string => Buffer.from(text).toString('base64');

test('a kubeconfig gives server, authority and client certificate', async (t) => {
  const { url, names, clientOf } = await startTls(t);
  const user = { 'client-certificate-data': base64(person.certificate), 'client-key-data': base64(person.key) };
  const text = kubeconfig(url, user, { 'certificate-authority-data': base64(identity.certificate) });
  const client = clientOf(() => connectionOfKubeconfig({ text }));
  t.is((await client.get(pods, web)).metadata.name, 'web');
  t.deepEqual(names, ['person']);
});

test('a kubeconfig file is read anew when its credentials were refused, so a rotated token is followed', async (t) => {
  const { url, server } = await startTls(t);
  const directory = await mkdtemp(join(tmpdir(), 'kubeconfig-'));
  t.teardown(() => rm(directory, { recursive: true }));
  const file = join(directory, 'config');
  const authority = { 'certificate-authority-data': base64(identity.certificate) };
  await writeFile(file, kubeconfig(url, { token: 'first' }, authority));
  server.authorization = 'Bearer first';
  const client = createClusterClient({
    connect: () => connectionOfKubeconfig({ file }),
    clock: { nowMs: () => 0, sleep: (ms, signal) => (ms < 1_000 ? Promise.resolve() : new VirtualClock().sleep(ms, signal)) },
    backoff: () => 1,
    userAgent: () => 'tests',
  });
  t.teardown(() => client.close());
  await client.get(pods, web);
  await writeFile(file, kubeconfig(url, { token: 'second' }, authority));
  server.authorization = 'Bearer second';
  t.is((await client.get(pods, web)).metadata.name, 'web');
});

test('a context without a user still pins its authority', async (t) => {
  const text = JSON.stringify({
    'current-context': 'one',
    contexts: [{ name: 'one', context: { cluster: 'cluster' } }],
    clusters: [{ name: 'cluster', cluster: { server: 'https://127.0.0.1:1', 'certificate-authority-data': base64(identity.certificate) } }],
  });
  t.deepEqual(await connectionOfKubeconfig({ text }), { server: 'https://127.0.0.1:1', certificateAuthority: identity.certificate });
});

test('a kubeconfig that cannot be used says why', async (t) => {
  const code = 'TAP_CLUSTER_KUBECONFIG';
  await t.throwsAsync(connectionOfKubeconfig({ file: '/nonexistent/config' }), {
    code,
    message: /kubeconfig \/nonexistent\/config cannot be read/,
  });
  await t.throwsAsync(connectionOfKubeconfig({ text: '{' }), { code });
  await t.throwsAsync(connectionOfKubeconfig({ text: kubeconfig('https://127.0.0.1:1', {}), context: 'other' }), {
    code,
    message: /no cluster for context "other"/,
  });
});
