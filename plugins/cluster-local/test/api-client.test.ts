import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type ServerResponse } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import type { Pod } from '@tappaas/sdk';
import { ApiClient, isAnswer } from '../dist/agent/api/api-client.js';
import { ConnectionFile } from '../dist/agent/api/connection-file.js';
import { linesOf } from '../dist/agent/api/lines.js';
import { Reflector } from '../dist/agent/api/reflector.js';
import { RetryDelay } from '../dist/agent/api/retry-delay.js';
import { engineKinds } from '../dist/kinds/engine-kinds.js';
import { Pods } from '../dist/kinds/handles.js';
import { FakeApi } from './support/fake-api.ts';
import { FakeStore } from './support/fake-store.ts';
import { clock, never, until } from './support/local-cluster.ts';
import { pod } from './support/manifests.ts';

async function connected(t: ExecutionContext) {
  const store = new FakeStore(engineKinds);
  const api = new FakeApi(store);
  await api.start();
  const directory = await mkdtemp(join(tmpdir(), 'tappaas-client-'));
  const path = join(directory, 'connection.json');
  const connect = (token: string) => writeFile(path, JSON.stringify({ server: api.url, token }), { mode: 0o600 });
  await connect(api.token);
  const client = new ApiClient(new ConnectionFile(path), clock);
  const stop = new AbortController();
  t.teardown(async () => {
    stop.abort();
    client.close();
    await api.stop();
    await rm(directory, { recursive: true });
  });
  const errors: unknown[] = [];
  const changes: string[][] = [];
  const reflector = new Reflector<Pod>({
    client,
    clock,
    random: () => 0.5,
    path: '/api/v1/pods',
    onChange: (keys) => void changes.push([...keys]),
    onError: (error) => void errors.push(error),
  });
  const create = (name: string) => store.create(Pods, pod(name, { containers: [{ name: 'c', image: 'process' }] }));
  return { store, api, path, connect, client, reflector, errors, changes, create, signal: stop.signal };
}

const names = (reflector: Reflector<Pod>) => [...reflector.objects.keys()].map((key) => key.replace('default/', '')).toSorted();

test('a reflector lists, then follows, and tells every change once', async (t) => {
  const { store, reflector, changes, create, signal } = await connected(t);
  create('a');
  void reflector.run(signal);
  await until('listed', () => reflector.synced);
  create('b');
  store.patch(Pods, { namespace: 'default', name: 'a' }, { metadata: { labels: { x: 'y' } } });
  store.delete(Pods, { namespace: 'default', name: 'a' });
  await until('followed', () => names(reflector).join() === 'b');
  t.deepEqual(changes.flat(), ['default/a', 'default/b', 'default/a', 'default/a'].slice(0, changes.flat().length));
  t.is(reflector.objects.get('default/b')?.kind, 'Pod');
});

test('a cut connection is taken up where it broke, without a new list', async (t) => {
  const { api, reflector, create, signal } = await connected(t);
  void reflector.run(signal);
  await until('listed', () => reflector.synced);
  create('a');
  await until('seen', () => names(reflector).join() === 'a');
  await api.stop();
  create('b');
  await api.start();
  await until('seen again', () => names(reflector).join() === 'a,b');
  t.is(api.requests.filter((request) => request === 'GET /clusters/local/api/v1/pods').length, 1);
  t.true(api.requests.filter((request) => request === 'GET /clusters/local/api/v1/pods watch').length > 1);
});

test('a position that is too old leads to a new list, and what went meanwhile is told', async (t) => {
  const { store, api, reflector, changes, create, signal } = await connected(t);
  create('a');
  create('b');
  void reflector.run(signal);
  await until('listed', () => reflector.synced);
  await api.stop();
  store.delete(Pods, { namespace: 'default', name: 'a' });
  store.history.length = 0;
  api.oldest = store.revision + 1;
  store.revision += 1;
  await api.start();
  await until('relisted', () => names(reflector).join() === 'b');
  t.deepEqual(changes.at(-1), ['default/a']);
});

test('throttling and faults are waited out, as long as the server says', async (t) => {
  const { api, reflector, errors, create, signal } = await connected(t);
  let faults = 3;
  api.fault = () => (faults-- > 0 ? 503 : undefined);
  create('a');
  void reflector.run(signal);
  await until('listed', () => reflector.synced);
  t.is(errors.length, 3);
  t.deepEqual(names(reflector), ['a']);
});

test('refused credentials are read again once; other answers do not touch the connection', async (t) => {
  const { api, client, connect, signal } = await connected(t);
  const ask = () => client.request({ method: 'GET', path: '/api/v1/pods', signal });
  await ask();
  api.token = 'second';
  const refused = await t.throwsAsync(ask());
  t.true(isAnswer(refused, 401));
  await connect('second');
  await t.notThrowsAsync(ask());
  const [missing, list] = await Promise.allSettled([
    client.request({ method: 'GET', path: '/api/v1/namespaces/default/pods/none', signal }),
    ask(),
  ]);
  t.true(missing.status === 'rejected' && isAnswer(missing.reason, 404));
  t.is(list.status, 'fulfilled');
});

test('a connection file that others may read is not used', async (t) => {
  const { client, path, signal } = await connected(t);
  await chmod(path, 0o644);
  await t.throwsAsync(client.request({ method: 'GET', path: '/api/v1/pods', signal }), { message: /expected mode 600, found 644/ });
});

test('a server that says nothing is given up', async (t) => {
  const waiting: ServerResponse[] = [];
  const server = createServer((_, response) => void waiting.push(response)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => {
    server.close();
    server.closeAllConnections();
  });
  const directory = await mkdtemp(join(tmpdir(), 'tappaas-client-'));
  t.teardown(() => rm(directory, { recursive: true }));
  const path = join(directory, 'connection.json');
  await writeFile(path, JSON.stringify({ server: `http://127.0.0.1:${(server.address() as AddressInfo).port}` }), { mode: 0o600 });
  const client = new ApiClient(new ConnectionFile(path), clock);
  await t.throwsAsync(client.request({ method: 'GET', path: '/x', signal: never, idleMs: 200 }), {
    message: 'GET /x was silent for 200 ms',
  });
  t.true(waiting.length > 0);
});

test('lines are whole however they are cut', async (t) => {
  const text = Buffer.from('{"a":"ü"}\n{"b":2}\n\n{"c":3}\n');
  for (let size = 1; size <= text.length; size += 1) {
    const chunks = Array.from({ length: Math.ceil(text.length / size) }, (_, index) => text.subarray(index * size, (index + 1) * size));
    const lines: string[] = [];
    for await (const found of linesOf(stream(chunks))) lines.push(...found);
    t.deepEqual(lines, ['{"a":"ü"}', '{"b":2}', '{"c":3}']);
  }
});

test('a line without an end is refused', async (t) => {
  const endless = async () => {
    const lines: string[] = [];
    for await (const found of linesOf(stream(Array.from({ length: 20 }, () => Buffer.alloc(1024 * 1024, 'x'))))) lines.push(...found);
  };
  await t.throwsAsync(endless(), { message: 'a line is longer than 16777216 bytes' });
});

async function* stream(chunks: readonly Buffer[]): AsyncGenerator<Buffer> {
  for (const chunk of chunks) yield await Promise.resolve(chunk);
}

test('delays double up to the limit, shortened at random by half at most', (t) => {
  const longest = new RetryDelay(100, 1000, () => 1);
  t.deepEqual(
    Array.from({ length: 6 }, () => longest.next()),
    [100, 200, 400, 800, 1000, 1000],
  );
  longest.reset();
  t.is(longest.next(), 100);
  t.is(new RetryDelay(100, 1000, () => 0).next(), 50);
});
