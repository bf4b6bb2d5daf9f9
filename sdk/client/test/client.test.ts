import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import test, { type ExecutionContext } from 'ava';
import { kubernetesHandle } from '@tappaas/sdk/kubernetes';
import { defineKind, Type } from '@tappaas/sdk';
import { ApiError, createClient, GraphQlError, UnreachableError, type Client } from '@tappaas/client';
import { startRealServer } from '../../../core/test/api/real-server.ts';

interface ConfigMap {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace: string;
    readonly resourceVersion: string;
    readonly labels?: Record<string, string>;
  };
  readonly data?: Readonly<Record<string, string>>;
}

const ConfigMaps = kubernetesHandle<ConfigMap>('', 'ConfigMap');
const place = (name: string) => ({ namespace: 'default', name });

async function realClient(t: ExecutionContext): Promise<Client> {
  const server = await startRealServer();
  const client = createClient({ server: server.url, token: server.token });
  t.teardown(async () => {
    await client.close();
    await server.close();
  });
  return client;
}

async function clientOf(
  t: ExecutionContext,
  answer: (request: IncomingMessage, response: ServerResponse) => void,
  attemptsMax = 4,
): Promise<Client> {
  const server = createServer(answer);
  await new Promise<void>((listening) => void server.listen(0, '127.0.0.1', listening));
  const client = createClient({ server: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, token: 'tapp_x', attemptsMax });
  t.teardown(async () => {
    await client.close();
    server.closeAllConnections();
    server.close();
  });
  return client;
}

test('objects are created, read, applied, patched, listed in pages and deleted by the handle of their kind', async (t) => {
  const maps = (await realClient(t)).of(ConfigMaps);
  t.is(await maps.get(place('a')), undefined);
  const created = await maps.create({ metadata: place('a'), data: { x: '1' } });
  t.is(created.data?.['x'], '1');
  const again = await t.throwsAsync(maps.create({ metadata: place('a') }), { instanceOf: ApiError });
  t.is(again.status, 409);
  t.is(again.reason, 'AlreadyExists');
  t.not(again.remedy, '');
  const applied = await maps.apply(place('a'), { metadata: { labels: { app: 'x' } }, data: { y: '2' } }, { fieldManager: 'test' });
  t.deepEqual(applied.data, { x: '1', y: '2' });
  t.is(applied.metadata.labels?.['app'], 'x');
  t.deepEqual((await maps.patch(place('a'), { data: { x: null } }, { dryRun: true })).data, { y: '2' });
  t.is((await maps.get(place('a')))?.data?.['x'], '1');
  const stale = { metadata: { resourceVersion: created.metadata.resourceVersion }, data: { x: '3' } };
  t.is((await t.throwsAsync(maps.patch(place('a'), stale), { instanceOf: ApiError })).status, 409);
  await Promise.all(Array.from({ length: 1100 }, (_, index) => maps.create({ metadata: place(`n${index}`) })));
  const names = new Set<string>();
  for await (const each of maps.list({ namespace: 'default' })) names.add(each.metadata.name);
  t.is(names.size, 1101);
  t.true(await maps.delete(place('a')));
  t.false(await maps.delete(place('a')));
});

test('a kind without a definition is refused with what to do', async (t) => {
  const client = await realClient(t);
  t.throws(() => client.of({ group: '', kind: 'ConfigMap', version: 'v1' }).get(place('a')), {
    message: /take one of @tappaas\/sdk\/kinds/,
  });
  const Own = defineKind({
    group: 'x.example.com',
    kind: 'Own',
    plural: 'owns',
    version: 'v1',
    scope: 'Namespaced',
    description: 'x',
    spec: Type.Object({}),
    status: Type.Object({}),
  });
  await t.throwsAsync(client.of(Own).get(place('a')), { message: /could not find/ });
});

test('what is passing is tried again, as late as it was asked for; what does harm twice is not sent twice', async (t) => {
  const seen: string[] = [];
  const client = await clientOf(t, (request, response) => {
    seen.push(`${request.method} ${request.headers['idempotency-key'] === undefined ? '' : 'with key'}`.trim());
    const count = seen.filter((each) => each === seen.at(-1)).length;
    if (count === 1) response.destroy();
    else if (count === 2) response.writeHead(429, { 'retry-after': '0' }).end('{}');
    else response.writeHead(request.method === 'POST' ? 201 : 200).end('{"metadata":{}}');
  });
  await client.json('/get');
  await client.of(ConfigMaps).create({ metadata: place('a') });
  t.deepEqual(seen, ['GET', 'GET', 'GET', 'POST with key', 'POST with key', 'POST with key']);
  seen.length = 0;
  const error = await t.throwsAsync(client.of(ConfigMaps).patch(place('a'), {}), { instanceOf: UnreachableError });
  t.is(error.reason, 'broken-off');
  t.deepEqual(seen, ['PATCH']);
});

test('every request has a deadline, over all its tries', async (t) => {
  const client = await clientOf(t, () => {});
  const startMs = Date.now();
  const error = await t.throwsAsync(client.json('/never', { timeoutMs: 300 }), { instanceOf: UnreachableError });
  t.is(error.reason, 'deadline');
  t.true(Date.now() - startMs < 30_000);
});

test('whoever gives up hears the own reason', async (t) => {
  const client = await clientOf(t, () => {});
  const reason = new Error('enough');
  await t.throwsAsync(client.json('/never', { signal: AbortSignal.abort(reason) }), { is: reason });
});

test('nobody there, a name that is none and an authority that is not trusted are told apart', async (t) => {
  const client = await clientOf(t, (_, response) => response.end('{}'), 1);
  const unreachable = createClient({ server: 'http://127.0.0.1:1', token: 'x', attemptsMax: 1 });
  t.is((await t.throwsAsync(unreachable.json('/'), { instanceOf: UnreachableError })).reason, 'unreachable');
  t.deepEqual(await client.json('/'), {});
});

test('a token goes over https only, or to this machine', (t) => {
  for (const server of ['http://example.com', 'http://127.0.0.1.example.com', 'ftp://127.0.0.1']) {
    t.throws(() => createClient({ server, token: 'x' }), { message: /expected https/ });
  }
  t.notThrows(() => createClient({ server: 'http://[::1]:7443', token: 'x' }));
});

test('a token that is asked for anew goes with every request', async (t) => {
  const tokens: unknown[] = [];
  const server = createServer((request, response) => {
    tokens.push(request.headers.authorization);
    response.end('{}');
  });
  await new Promise<void>((listening) => void server.listen(0, '127.0.0.1', listening));
  t.teardown(() => void server.close());
  let count = 0;
  const client = createClient({
    server: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    token: async () => `t${(count += 1)}`,
  });
  await client.json('/');
  await client.json('/');
  await client.close();
  t.deepEqual(tokens, ['Bearer t1', 'Bearer t2']);
});

test('errors of GraphQL are thrown with the data that came along', async (t) => {
  const client = await clientOf(t, (request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.on('end', () => {
      const { query } = JSON.parse(body) as { query: string };
      response.end(
        query === '{ good }' ? '{"data":{"good":1}}' : '{"data":{"part":1},"errors":[{"message":"no","extensions":{"code":"X"}}]}',
      );
    });
  });
  t.deepEqual(await client.graphql({ query: '{ good }' }), { good: 1 });
  const error = await t.throwsAsync(client.graphql({ query: '{ bad }' }), { instanceOf: GraphQlError });
  t.is(error.message, 'no');
  t.is(error.problems[0]?.extensions?.code, 'X');
  t.deepEqual(error.data, { part: 1 });
});

test('what the platform does not serve is refused, and not taken for what is not there', async (t) => {
  const client = await realClient(t);
  const Unserved = kubernetesHandle<ConfigMap>('', 'Pod');
  for (const objects of [client.of(ConfigMaps, { engine: 'lcoal' }), client.of(Unserved)]) {
    for (const requested of [() => objects.list().next(), () => objects.get(place('a')), () => objects.delete(place('a'))]) {
      t.like(await t.throwsAsync(requested, { instanceOf: ApiError }), { status: 404, code: 'TAP_REQUEST_PATH_UNKNOWN' });
    }
  }
  const configMaps = '/api/v1/namespaces/default/configmaps';
  for (const path of ['/api/v1/pods', `/clusters/lcoal${configMaps}`]) {
    t.like(await t.throwsAsync(client.json(path), { instanceOf: ApiError }), { status: 404, code: 'TAP_REQUEST_PATH_UNKNOWN' });
  }
  t.is(await client.json(`${configMaps}/gone`), undefined);
});

test('a GraphQL document that may hold a mutation is sent once, however it is written; a query is sent again', async (t) => {
  const sent: string[] = [];
  const client = await clientOf(t, (request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.on('end', () => {
      const { query } = JSON.parse(body) as { query: string };
      sent.push(query);
      if (sent.filter((each) => each === query).length === 1) response.destroy();
      else response.end('{"data":{"good":1}}');
    });
  });
  const once = [
    'mutation { m }',
    'fragment F on A{x},mutation M{y}',
    'query Q{a(x:"y")}mutation M{y}',
    '# "\nmutation M{y}',
    '{ a(text: """\\""" """) }mutation{y}',
    '\uFEFFmutation{y}',
    // Contains the word only in a string, but finding that out would need a parser.
    '{ a(text: "mutation") }',
  ];
  for (const query of once) await t.throwsAsync(client.graphql({ query }), { instanceOf: UnreachableError }, query);
  t.deepEqual(sent, once);
  for (const query of ['{ good }', 'query Mutations { mutations my_mutation }']) t.deepEqual(await client.graphql({ query }), { good: 1 });
});

test('a watch ends with its client', async (t) => {
  const client = await realClient(t);
  const events = client.of(ConfigMaps).watch({ signal: new AbortController().signal });
  t.is((await events.next()).value?.type, 'SYNCED');
  const next = events.next();
  const following = client.until({ collection: '/api/v1/configmaps', name: 'never', timeoutMs: 100_000 }, (object) => object !== undefined);
  await client.close();
  t.true((await next).done);
  t.deepEqual(await following, { reached: false, object: undefined });
  t.true((await client.watch('/api/v1/configmaps', { signal: new AbortController().signal }).next()).done);
});

test('whoever gives up on lines hears the own reason, before the first one and between two', async (t) => {
  const client = await clientOf(t, ({ url }, response) => {
    if (url === '/lines') response.write('first\n');
  });
  for (const path of ['/nothing', '/lines']) {
    const over = new AbortController();
    const lines = client.lines(path, over.signal);
    if (path === '/lines') t.is((await lines.next()).value, 'first');
    const next = lines.next();
    const reason = new Error('enough');
    over.abort(reason);
    await t.throwsAsync(next, { is: reason }, path);
  }
  const reason = new Error('enough');
  await t.throwsAsync(client.lines('/lines', AbortSignal.abort(reason)).next(), { is: reason });
});

test('a success that is not JSON is told as not of the platform', async (t) => {
  const client = await clientOf(t, (_, response) => response.end('<html>Log in to the network</html>'));
  for (const ask of [
    () => client.json('/version'),
    () => client.of(ConfigMaps).get(place('a')),
    () => client.of(ConfigMaps).list().next(),
  ]) {
    t.like(await t.throwsAsync(ask, { instanceOf: ApiError, message: /not JSON/ }), { status: 200, code: '' });
  }
});
