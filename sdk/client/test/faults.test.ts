/** Connections that break at any byte and responses that come late: no event is lost or delivered twice. */
import test, { type ExecutionContext } from 'ava';
import * as fc from 'fast-check';
import { kubernetesHandle } from '@tappaas/sdk/kubernetes';
import { createClient, ResumeError, type ApiError, type Client } from '@tappaas/client';
import { clientOn } from '../dist/client.js';
import { realDevices } from '../dist/devices.js';
import { nodeTransport } from '../dist/node-transport.js';
import { startRealServer, type RealServer } from '../../../core/test/api/real-server.ts';
import { startFlakyProxy, type Fault, type FlakyProxy } from './flaky-proxy.ts';

interface ConfigMap {
  readonly metadata: { readonly name: string; readonly namespace: string; readonly resourceVersion: string };
  readonly data?: Readonly<Record<string, string>>;
}

const ConfigMaps = kubernetesHandle<ConfigMap>('', 'ConfigMap');
const whole: Fault = { bytesMax: Infinity, delayMs: 0 };
const shortMs = 12_345;

interface Parts {
  readonly server: RealServer;
  /** Writes directly, not through the proxy. */
  readonly writer: Client;
  /** Reads through the proxy. */
  readonly reader: Client;
  readonly proxy: FlakyProxy;
}

async function parts(t: ExecutionContext, faultOf: (connection: number) => Fault, historyEventsMax = 10_000): Promise<Parts> {
  const server = await startRealServer({ historyEventsMax });
  const proxy = await startFlakyProxy(server.port, faultOf);
  const writer = createClient({ server: server.url, token: server.token });
  const reader = createClient({ server: proxy.url, token: server.token });
  t.teardown(async () => {
    await Promise.all([writer.close(), reader.close()]);
    await proxy.close();
    await server.close();
  });
  return { server, writer, reader, proxy };
}

/** Writes one object `count` times, with consecutive numbers from `first` on. */
async function write(client: Client, count: number, first = 0): Promise<void> {
  const key = { namespace: 'default', name: 'a' };
  for (let index = first; index < first + count; index += 1) await client.of(ConfigMaps).apply(key, { data: { index: String(index) } });
}

const indices = (count: number): string[] => Array.from({ length: count }, (_, index) => String(index));

/** Generated faults, so that a failure can be reproduced: most connections break somewhere, some are slow, later ones hold. */
const faults = fc.array(fc.record({ bytesMax: fc.integer({ min: 1, max: 6000 }), delayMs: fc.constantFrom(0, 0, 5) }), { maxLength: 6 });

test('a watch through breaking connections tells every change once and in order', async (t) => {
  t.timeout(180_000);
  let cutsLater = 0;
  await fc.assert(
    fc.asyncProperty(faults, async (drawn) => {
      const { writer, reader, proxy } = await parts(t, (connection) => drawn[connection] ?? whole);
      const [before, count] = [20, 40];
      const over = new AbortController();
      const received: string[] = [];
      const synced = Promise.withResolvers<void>();
      let isSynced = false;
      const watching = (async () => {
        for await (const event of reader.of(ConfigMaps).watch({ namespace: 'default', signal: over.signal })) {
          // A break during the initial listing restarts it with the present state.
          if (event.type === 'SYNCED') {
            isSynced = true;
            synced.resolve();
            continue;
          }
          if (!isSynced) received.length = 0;
          received.push(event.object.data?.['index'] ?? '');
          if (received.at(-1) === String(count - 1)) break;
        }
      })();
      await write(writer, before);
      await synced.promise;
      const cutsBefore = proxy.cuts();
      await write(writer, count - before, before);
      await watching;
      cutsLater += proxy.cuts() - cutsBefore;
      // Changes before the initial listing are delivered once, as the state at that time; every later change is delivered.
      const first = Number(received[0]);
      t.true(first <= before, `the first that was told is ${first}`);
      t.deepEqual(received, indices(count).slice(first));
      over.abort();
    }),
    { numRuns: 6 },
  );
  t.true(cutsLater > 0, 'some watch was cut while changes came');
});

test('a watch that goes on from a resourceVersion tells exactly what came after it', async (t) => {
  const { writer, reader, proxy } = await parts(t, (connection) =>
    connection < 8 ? { bytesMax: 700 + 400 * connection, delayMs: 2 } : whole,
  );
  await write(writer, 1);
  const since = (await writer.of(ConfigMaps).get({ namespace: 'default', name: 'a' }))?.metadata.resourceVersion ?? '';
  const over = new AbortController();
  const received: string[] = [];
  const watching = (async () => {
    for await (const event of reader.of(ConfigMaps).watch({ namespace: 'default', since, signal: over.signal })) {
      if (event.type !== 'SYNCED') received.push(event.object.data?.['index'] ?? '');
      if (received.length === 29) break;
    }
  })();
  await write(writer, 30);
  await watching;
  t.deepEqual(received, indices(30).slice(1));
  t.true(proxy.cuts() > 2);
});

test('a watch since an event of the beginning leaves nothing out', async (t) => {
  const { writer } = await parts(t, () => whole);
  // The initial listing is in the order of names, so the newest object comes first.
  for (const name of ['c', 'b', 'a']) await writer.of(ConfigMaps).create({ metadata: { namespace: 'default', name } });
  const received = new Set<string>();
  const look = async (since: string | undefined, isEnough: (type: string) => boolean): Promise<string> => {
    const options = { namespace: 'default', signal: AbortSignal.timeout(60_000), ...(since !== undefined && { since }) };
    for await (const event of writer.of(ConfigMaps).watch(options)) {
      if (event.type !== 'SYNCED') received.add(event.object.metadata.name);
      if (isEnough(event.type)) return event.resourceVersion;
    }
    return '';
  };
  const first = await look(undefined, () => true);
  t.deepEqual([...received], ['a']);
  const synced = await look(first, (type) => type === 'SYNCED');
  t.deepEqual([...received], ['a', 'b', 'c']);
  await writer.of(ConfigMaps).create({ metadata: { namespace: 'default', name: 'd' } });
  received.clear();
  await look(synced, () => true);
  t.deepEqual([...received], ['d'], 'behind SYNCED only what came after it');
});

test('what was deleted while a watch was away, and history with it, is told as deleted', async (t) => {
  const { writer, reader, proxy } = await parts(t, () => whole, 5);
  const maps = writer.of(ConfigMaps);
  for (const name of ['stays', 'goes']) await maps.create({ metadata: { namespace: 'default', name } });
  const over = new AbortController();
  const events = reader.of(ConfigMaps).watch({ namespace: 'default', signal: over.signal });
  const next = async (): Promise<string> => {
    const { value } = await events.next();
    return value.type === 'SYNCED' ? 'SYNCED' : `${value.type} ${value.object.metadata.name}`;
  };
  t.deepEqual([await next(), await next(), await next()].toSorted(), ['ADDED goes', 'ADDED stays', 'SYNCED']);
  proxy.refuse(true);
  proxy.cut();
  const away = next();
  await maps.delete({ namespace: 'default', name: 'goes' });
  for (let index = 0; index < 10; index += 1) await maps.patch({ namespace: 'default', name: 'stays' }, { data: { x: String(index) } });
  await maps.create({ metadata: { namespace: 'default', name: 'comes' } });
  proxy.refuse(false);
  t.deepEqual([await away, await next(), await next()].toSorted(), ['ADDED comes', 'DELETED goes', 'MODIFIED stays']);
  t.is(await next(), 'SYNCED');
  over.abort();
});

test('a watch since a list whose history is gone ends, as what went meanwhile is known to nobody but its program', async (t) => {
  const { writer, reader, proxy } = await parts(t, () => whole, 5);
  const maps = writer.of(ConfigMaps);
  for (const name of ['stays', 'goes']) await maps.create({ metadata: { namespace: 'default', name } });
  const since = (await maps.get({ namespace: 'default', name: 'goes' }))?.metadata.resourceVersion ?? '';
  const events = reader.of(ConfigMaps).watch({ namespace: 'default', since, signal: AbortSignal.timeout(60_000) });
  const first = events.next();
  await maps.patch({ namespace: 'default', name: 'stays' }, { data: { x: 'first' } });
  t.is((await first).value?.type, 'MODIFIED');
  proxy.refuse(true);
  proxy.cut();
  const away = events.next();
  await maps.delete({ namespace: 'default', name: 'goes' });
  for (let index = 0; index < 10; index += 1) await maps.patch({ namespace: 'default', name: 'stays' }, { data: { x: String(index) } });
  proxy.refuse(false);
  const error = await t.throwsAsync(away, { instanceOf: ResumeError });
  t.is((error.cause as ApiError).status, 410);
});

test('a room through breaking connections tells every change once and in order', async (t) => {
  t.timeout(120_000);
  const { writer, reader, proxy } = await parts(t, (connection) =>
    connection < 5 ? { bytesMax: 1500 + 700 * connection, delayMs: 0 } : whole,
  );
  await write(writer, 1);
  const since = (await writer.of(ConfigMaps).get({ namespace: 'default', name: 'a' }))?.metadata.resourceVersion ?? '';
  const over = new AbortController();
  const received: string[] = [];
  const following = (async () => {
    const request = { topic: 'objects', version: 'v1', plural: 'configmaps', namespace: 'default', resourceVersion: since } as const;
    for await (const message of reader.room(request, over.signal)) {
      if (!('object' in message)) continue;
      received.push((message.object as ConfigMap).data?.['index'] ?? '');
      if (received.length === 39) break;
    }
  })();
  await write(writer, 40);
  await following;
  t.deepEqual(received, indices(40).slice(1));
  t.true(proxy.cuts() > 2);
});

test('a room that is not taken from for long misses nothing once it is', async (t) => {
  t.timeout(300_000);
  const { writer, reader } = await parts(t, () => whole);
  await write(writer, 1);
  const since = (await writer.of(ConfigMaps).get({ namespace: 'default', name: 'a' }))?.metadata.resourceVersion ?? '';
  const over = new AbortController();
  const request = { topic: 'objects', version: 'v1', plural: 'configmaps', namespace: 'default', resourceVersion: since } as const;
  const messages = reader.room(request, over.signal);
  const first = messages.next();
  const count = 1300;
  await write(writer, count);
  const received = [await first];
  while (received.length < count - 1) received.push(await messages.next());
  t.deepEqual(
    received.map(({ value }) => (value.object as ConfigMap).data?.['index']),
    indices(count).slice(1),
  );
  over.abort();
});

test('what another try would not change ends a watch and a room with the words of the platform', async (t) => {
  const { server } = await parts(t, () => whole);
  const unauthenticated = createClient({ server: server.url, token: 'tapp_nobody' });
  t.teardown(() => unauthenticated.close());
  const { signal } = new AbortController();
  await t.throwsAsync(unauthenticated.of(ConfigMaps).watch({ signal }).next(), { name: 'ApiError' });
  await t.throwsAsync(unauthenticated.room({ topic: 'events' }, signal).next());
});

test('one object is followed over breaks until it is as wanted, or the time is over', async (t) => {
  const seen = Promise.withResolvers<void>();
  // The shorter timeout ends once the object was seen, however long that takes.
  const sleep: typeof realDevices.sleep = (ms, signal) => (ms === shortMs ? seen.promise : realDevices.sleep(ms, signal));
  const { writer, proxy, server } = await parts(t, (connection) => (connection < 3 ? { bytesMax: 900, delayMs: 0 } : whole));
  const reader = clientOn(nodeTransport(undefined), { server: proxy.url, token: server.token }, { ...realDevices, sleep });
  t.teardown(() => reader.close());
  const place = { collection: '/api/v1/namespaces/default/configmaps', name: 'a', timeoutMs: 60_000 };
  const isAt = (index: number) => (object: ConfigMap | undefined) => object?.data?.['index'] === String(index);
  const following = reader.until<ConfigMap>(place, isAt(9));
  await write(writer, 10);
  t.true((await following).reached);
  t.true((await reader.until<ConfigMap>({ ...place, name: 'absent' }, (object) => object === undefined)).reached);
  const late = await reader.until<ConfigMap>({ ...place, timeoutMs: shortMs }, (object) => {
    if (isAt(9)(object)) seen.resolve();
    return isAt(10)(object);
  });
  t.false(late.reached);
  t.is(late.object?.data?.['index'], '9');
});
