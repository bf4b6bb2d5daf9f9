import type { KubernetesObject } from '@tappaas/sdk';
import test from 'ava';
import type { TapError } from '@tappaas/sdk';
import { createClusterClient } from '../../dist/cluster/client.js';
import { ApiServer, faults } from './api-server.ts';
import { podResource as pods, startCluster } from './set-up.ts';

const web = { namespace: 'shop', name: 'web' };

test('an object is got, created, updated, patched, applied and deleted', async (t) => {
  const { client, server } = await startCluster(t);
  await client.create(pods, { apiVersion: 'v1', kind: 'Pod', metadata: web, spec: { a: 1 } }, { fieldManager: 'tests' });
  t.is((await client.get(pods, web)).metadata.name, 'web');
  await client.update(pods, web, { spec: { a: 2 } });
  await client.patch(pods, web, { spec: { a: 3 } });
  await client.apply(pods, { apiVersion: 'v1', kind: 'Pod', metadata: web, spec: { a: 4 } }, { fieldManager: 'tests', force: true });
  t.deepEqual((await client.get(pods, web))['spec'], { a: 4 });
  await client.delete(pods, web, { propagation: 'Background' });
  t.is(await client.find(pods, web), undefined);
  t.deepEqual(
    server.seen.map(({ method, url, headers }) => `${method} ${url.pathname}${url.search} ${headers['content-type'] ?? ''}`.trim()),
    [
      'POST /api/v1/namespaces/shop/pods?fieldManager=tests application/json',
      'GET /api/v1/namespaces/shop/pods/web',
      'PUT /api/v1/namespaces/shop/pods/web application/json',
      'PATCH /api/v1/namespaces/shop/pods/web application/merge-patch+json',
      'PATCH /api/v1/namespaces/shop/pods/web?fieldManager=tests&force=true application/apply-patch+yaml',
      'GET /api/v1/namespaces/shop/pods/web',
      'DELETE /api/v1/namespaces/shop/pods/web application/json',
      'GET /api/v1/namespaces/shop/pods/web',
    ],
  );
});

test('a server under a base path is reached by the same code', async (t) => {
  const mounted = await startCluster(t, { server: new ApiServer({ basePath: '/clusters/local' }) });
  const client = createClusterClient({
    connect: async () => ({ server: `${mounted.url}/clusters/local/` }),
    clock: mounted.clock,
    backoff: () => 100,
    userAgent: () => 'tests',
  });
  t.teardown(() => client.close());
  mounted.server.put('web');
  t.is((await client.get(pods, web)).metadata.name, 'web');
});

test('requests name the plugin on whose behalf they are made', async (t) => {
  const { client, server } = await startCluster(t);
  server.put('web');
  await client.get(pods, web);
  t.is(server.seen[0]?.headers['user-agent'], 'tappaas/test (plugin-a)');
});

test('a thousand requests share a few connections', async (t) => {
  const { client, server } = await startCluster(t, { connectionsMax: 4 });
  server.put('web');
  for (let n = 0; n < 100; n += 1) await Promise.all(Array.from({ length: 10 }, () => client.get(pods, web)));
  t.true(server.connections <= 4, `${server.connections} connections`);
});

test('a list is read page by page at one revision, and its items are complete objects', async (t) => {
  const { client, server } = await startCluster(t);
  for (let n = 0; n < 25; n += 1) server.put(`pod-${n}`);
  const { items, revision } = await client.list(pods, { pageItems: 10 });
  t.is(items.length, 25);
  t.is(revision, '125');
  t.is(items[0]?.kind, 'Pod');
  t.is(items[0]?.apiVersion, 'v1');
  t.is(server.seen.length, 3);
  t.is(server.seen[0]?.url.pathname, '/api/v1/pods');
});

test('a list keeps of its items what is asked for, page by page', async (t) => {
  const { client, server } = await startCluster(t);
  for (let n = 0; n < 25; n += 1) server.put(`pod-${n}`, { spec: { text: 'x' } });
  const shape = ({ apiVersion, kind, metadata }: KubernetesObject): KubernetesObject => ({ apiVersion, kind, metadata });
  const { items } = await client.list(pods, { pageItems: 10, shape });
  t.is(items.length, 25);
  t.true(items.every((item) => item.kind === 'Pod' && !('spec' in item)));
});

test('a list that is longer than allowed is an error, not a silent cut', async (t) => {
  const { client, server } = await startCluster(t);
  for (let n = 0; n < 25; n += 1) server.put(`pod-${n}`);
  await t.throwsAsync(client.list(pods, { pageItems: 10, itemsMax: 20 }), { code: 'TAP_CLUSTER_ANSWER_TOO_LARGE' });
});

test('an answer that is longer than allowed is refused while it is read', async (t) => {
  const { client, server } = await startCluster(t, { answerBytesMax: 1_000 });
  server.put('web', { spec: { text: 'x'.repeat(2_000) } });
  await t.throwsAsync(client.get(pods, web), { code: 'TAP_CLUSTER_ANSWER_TOO_LARGE' });
  t.is(server.seen.length, 1);
});

for (const [name, fault] of Object.entries({
  429: faults.status(429),
  500: faults.status(500),
  503: faults.status(503, {}, '<html>proxy</html>'),
  'a reset': faults.reset,
  'an answer cut short': faults.cutInBody,
})) {
  test(`a read is repeated after ${name}`, async (t) => {
    const { client, server, during } = await startCluster(t);
    server.put('web');
    server.faults.push(fault, fault);
    t.is((await during(client.get(pods, web))).metadata.name, 'web');
    t.is(server.seen.length, 3);
  });
}

test('attempts are bounded, and the last failure is told', async (t) => {
  const { client, server, during } = await startCluster(t, { attemptsMax: 3 });
  server.always = faults.status(500, {}, { kind: 'Status', code: 500, reason: 'InternalError', message: 'etcd is gone' });
  const error = await t.throwsAsync(during(client.get(pods, web)), { code: 'TAP_CLUSTER_FAILED' });
  t.is(error?.message, 'get pods shop/web: the cluster answered 500 InternalError etcd is gone');
  t.is(server.seen.length, 3);
});

test('Retry-After is obeyed, as seconds, as a date and in the Status, within limits', async (t) => {
  const { client, server, clock, during } = await startCluster(t);
  server.put('web');
  const date = new Date(clock.nowMs() + 10_000).toUTCString();
  for (const [fault, leastMs, mostMs] of [
    [faults.status(429, { 'retry-after': '7' }), 7_000, 8_000],
    [faults.status(503, { 'retry-after': date }), 2_000, 4_000],
    [faults.status(429, {}, { kind: 'Status', code: 429, details: { retryAfterSeconds: 5 } }), 5_000, 6_000],
    [faults.status(429, { 'retry-after': '3600' }), 20_000, 21_000],
  ] as const) {
    server.faults.push(fault);
    const startMs = clock.nowMs();
    await during(client.get(pods, web));
    const tookMs = clock.nowMs() - startMs;
    t.true(tookMs >= leastMs && tookMs <= mostMs, `took ${tookMs}`);
  }
});

test('a write that the server refused to look at is repeated', async (t) => {
  const { client, server, during } = await startCluster(t);
  server.faults.push(faults.status(429), faults.status(503, { 'retry-after': '1' }));
  await during(client.create(pods, { metadata: web }));
  t.is(server.seen.length, 3);
});

for (const [name, fault] of Object.entries({ 'a reset': faults.reset, 'an answer cut short': faults.cutInBody })) {
  test(`a write whose answer was lost by ${name} is not repeated: its outcome is unknown`, async (t) => {
    const { client, server } = await startCluster(t);
    server.put('web');
    for (const write of [
      () => client.create(pods, { metadata: { ...web, name: 'new' } }),
      () => client.update(pods, web, { metadata: { resourceVersion: '1' } }),
      () => client.patch(pods, web, { metadata: { resourceVersion: '1' } }),
      () => client.patch(pods, web, [{ op: 'add', path: '/a', value: 1 }], { type: 'json' }),
      () => client.delete(pods, web),
      () => client.bind(web, 'node-1'),
    ]) {
      server.faults.push(fault);
      server.seen.length = 0;
      await t.throwsAsync(write(), { code: 'TAP_CLUSTER_OUTCOME_UNKNOWN' });
      t.is(server.seen.length, 1);
    }
  });
}

test('a write that the server failed at is not repeated: it may have been done', async (t) => {
  const { client, server } = await startCluster(t);
  server.faults.push(faults.status(500), faults.status(503), faults.status(504));
  for (let n = 0; n < 3; n += 1) await t.throwsAsync(client.create(pods, { metadata: web }), { code: 'TAP_CLUSTER_FAILED' });
  t.is(server.seen.length, 3);
});

test('a write that acts the same twice is repeated when its answer was lost', async (t) => {
  const { client, server, during } = await startCluster(t);
  server.put('web');
  for (const write of [
    () => client.patch(pods, web, { spec: { a: 1 } }),
    () => client.apply(pods, { apiVersion: 'v1', kind: 'Pod', metadata: web }, { fieldManager: 'tests', force: true }),
  ]) {
    server.faults.push(faults.reset);
    server.seen.length = 0;
    await during(write());
    t.is(server.seen.length, 2);
  }
});

test('a deletion with a precondition is repeated, and finding nothing then means that it is done', async (t) => {
  const { client, server, during } = await startCluster(t);
  const { uid } = server.put('web').metadata;
  server.faults.push((seen, response) => {
    server.remove('web');
    return faults.reset(seen, response);
  });
  await t.notThrowsAsync(during(client.delete(pods, web, { uid })));
  t.is(server.seen.length, 2);
  await t.throwsAsync(client.delete(pods, web, { uid }), { code: 'TAP_OBJECT_NOT_FOUND' }, 'nothing there at the first attempt is told');
});

test('a successor of the same name is not deleted', async (t) => {
  const { client, server } = await startCluster(t);
  server.put('web');
  await t.throwsAsync(client.delete(pods, web, { uid: 'another' }), { code: 'TAP_OBJECT_CONFLICT' });
  t.truthy(await client.find(pods, web));
});

test('a server that is not there yet is waited for, also by writes, and its address is asked for again', async (t) => {
  const { url, during, clock, server } = await startCluster(t);
  const servers = ['http://127.0.0.1:1', 'http://127.0.0.1:1', url];
  const connect = async (): Promise<{ server: string }> => ({ server: servers.shift() ?? url });
  const client = createClusterClient({ connect, clock, backoff: () => 500, userAgent: () => 'tests' });
  t.teardown(() => client.close());
  await during(client.create(pods, { metadata: web }));
  t.is(server.seen.length, 1);
});

test('one deadline covers all attempts of a request', async (t) => {
  const { client, server, clock, during } = await startCluster(t);
  server.always = faults.hang;
  const startMs = clock.nowMs();
  await t.throwsAsync(during(client.get(pods, web, { deadlineMs: 3_000 })), { code: 'TAP_CLUSTER_TIMEOUT' });
  t.true(clock.nowMs() - startMs <= 3_500);
  await t.throwsAsync(during(client.create(pods, { metadata: web }, { deadlineMs: 3_000 })), { code: 'TAP_CLUSTER_OUTCOME_UNKNOWN' });
});

test('a deadline that passes while waiting to try again tells what went wrong before', async (t) => {
  const { client, server, during } = await startCluster(t);
  server.always = faults.status(429, { 'retry-after': '15' });
  await t.throwsAsync(during(client.get(pods, web, { deadlineMs: 10_000 })), { code: 'TAP_CLUSTER_BUSY' });
});

test('aborting ends a request at once with the reason given', async (t) => {
  const { client, server, eventually } = await startCluster(t);
  server.always = faults.hang;
  const stop = new AbortController();
  const requested = client.get(pods, web, { signal: stop.signal });
  await eventually(() => server.seen.length === 1);
  stop.abort(new Error('enough'));
  await t.throwsAsync(requested, { message: 'enough' });
  await t.throwsAsync(client.get(pods, web, { signal: stop.signal }), { message: 'enough' });
});

test('renewed credentials are asked for when the old ones are refused, once', async (t) => {
  const { url, clock, during, server } = await startCluster(t);
  server.put('web');
  server.authorization = 'Bearer new';
  const tokens = ['old', 'new', 'newer'];
  let requested = 0;
  const client = createClusterClient({
    connect: async () => ({ server: url, token: tokens[requested++] ?? '' }),
    clock,
    backoff: () => 100,
    userAgent: () => 'tests',
  });
  t.teardown(() => client.close());
  await during(client.get(pods, web));
  t.is(requested, 2);
  server.authorization = 'Bearer other';
  server.seen.length = 0;
  await t.throwsAsync(during(client.get(pods, web)), { code: 'TAP_CLUSTER_UNAUTHENTICATED' });
  t.is(server.seen.length, 2);
});

test('answers become errors that name what was asked', async (t) => {
  const { client, server } = await startCluster(t);
  const status = (code: number, reason: string) => faults.status(code, {}, { kind: 'Status', code, reason, message: 'because' });
  for (const [fault, code] of [
    [status(400, 'BadRequest'), 'TAP_OBJECT_INVALID'],
    [status(403, 'Forbidden'), 'TAP_OBJECT_FORBIDDEN'],
    [status(404, 'NotFound'), 'TAP_OBJECT_NOT_FOUND'],
    [status(409, 'AlreadyExists'), 'TAP_OBJECT_EXISTS'],
    [status(409, 'Conflict'), 'TAP_OBJECT_CONFLICT'],
    [status(410, 'Expired'), 'TAP_OBJECT_EXPIRED'],
    [status(415, 'UnsupportedMediaType'), 'TAP_CLUSTER_UNSUPPORTED'],
    [status(422, 'Invalid'), 'TAP_OBJECT_INVALID'],
    [faults.status(418, {}, 'tea'), 'TAP_CLUSTER_FAILED'],
    [faults.status(200, {}, 'not json'), 'TAP_CLUSTER_FAILED'],
  ] as const) {
    server.faults.push(fault);
    const error = await t.throwsAsync(client.create(pods, { metadata: web }), { code });
    t.true(error?.message.startsWith('create pods shop/web: '), error?.message);
    const { blame, retry } = (error as TapError).spec;
    t.deepEqual({ blame, retry }, { blame: 'upstream', retry: 'back-off' }, 'somebody else may mend it');
  }
});

test('the field at fault is told', async (t) => {
  const { client, server } = await startCluster(t);
  const details = { causes: [{ reason: 'FieldValueInvalid', field: 'spec.containers[0].image' }] };
  server.faults.push(faults.status(422, {}, { kind: 'Status', code: 422, reason: 'Invalid', details }));
  const error = await t.throwsAsync(client.create(pods, { metadata: web }), { code: 'TAP_OBJECT_INVALID' });
  t.is((error as TapError).field, 'spec.containers[0].image');
});

for (const name of ['..', '.', '', 'a/b', 'a%2fb', '../../secrets/x']) {
  test(`the name "${name}" cannot lead to another path`, async (t) => {
    const { client, server } = await startCluster(t);
    await t.throwsAsync(async () => client.get(pods, { namespace: 'shop', name }), { code: 'TAP_OBJECT_INVALID' });
    if (name !== '') await t.throwsAsync(async () => client.get(pods, { namespace: name, name: 'web' }), { code: 'TAP_OBJECT_INVALID' });
    t.is(server.seen.length, 0);
  });
}

test('a pod is bound once: a second binding is a conflict', async (t) => {
  const { client, server } = await startCluster(t);
  const { uid } = server.put('web').metadata;
  await client.bind({ ...web, uid }, 'node-1');
  t.deepEqual((await client.get(pods, web))['spec'], { nodeName: 'node-1' });
  t.deepEqual(JSON.parse(server.seen[0]?.body ?? ''), {
    apiVersion: 'v1',
    kind: 'Binding',
    metadata: { ...web, uid },
    target: { apiVersion: 'v1', kind: 'Node', name: 'node-1' },
  });
  await t.throwsAsync(client.bind(web, 'node-2'), { code: 'TAP_OBJECT_CONFLICT' });
});

test('a log is streamed as it was written', async (t) => {
  const { client, server } = await startCluster(t);
  const chunks: Uint8Array[] = [];
  for await (const chunk of client.logs(web, { container: 'web', tailLines: 5 })) chunks.push(chunk);
  t.is(Buffer.concat(chunks).toString(), 'one\ntwo\n');
  t.is(server.seen[0]?.url.search, '?container=web&tailLines=5');
});

test('the API resource of a kind is discovered once, and subresources are ignored', async (t) => {
  const { client, server, clock } = await startCluster(t);
  const pod = { apiVersion: 'v1', kind: 'Pod' };
  t.deepEqual(await Promise.all([client.discovery.resourceOf(pod), client.discovery.resourceOf(pod)]), [pods, pods]);
  t.is((await client.discovery.resourceOf({ apiVersion: 'v1', kind: 'Node' })).namespaced, false);
  t.is(server.seen.length, 1);
  for (let n = 0; n < 5; n += 1) {
    await t.throwsAsync(client.discovery.resourceOf({ apiVersion: 'v1', kind: 'Gateway' }), { code: 'TAP_CLUSTER_KIND_UNKNOWN' });
  }
  t.is(server.seen.length, 1, 'a missing kind is not asked for again at once');
  await clock.advance(11_000);
  await t.throwsAsync(client.discovery.resourceOf({ apiVersion: 'v1', kind: 'Gateway' }), { code: 'TAP_CLUSTER_KIND_UNKNOWN' });
  t.is(server.seen.length, 2, 'but after a while, since it may have been installed');
  await t.throwsAsync(client.discovery.resourceOf({ apiVersion: 'none.dev/v1', kind: 'Pod' }), { code: 'TAP_CLUSTER_KIND_UNKNOWN' });
});

test('a failed discovery is not remembered', async (t) => {
  const { client, server, during } = await startCluster(t, { attemptsMax: 1 });
  server.faults.push(faults.status(500));
  await t.throwsAsync(during(client.discovery.resourceOf({ apiVersion: 'v1', kind: 'Pod' })), { code: 'TAP_CLUSTER_FAILED' });
  t.deepEqual(await client.discovery.resourceOf({ apiVersion: 'v1', kind: 'Pod' }), pods);
});

test('closing ends what is under way, and later calls say so', async (t) => {
  const { client, server, eventually } = await startCluster(t);
  server.always = faults.hang;
  const requested = t.throwsAsync(client.get(pods, web), { code: 'TAP_CLUSTER_CLOSED' });
  await eventually(() => server.seen.length === 1);
  await client.close();
  await requested;
  await t.throwsAsync(client.get(pods, web), { code: 'TAP_CLUSTER_CLOSED' });
});
