/** Rooms on a complete platform whose API is served by two processes, connected by Redis. */
import test, { type ExecutionContext } from 'ava';
import { createClient, type Client, type RoomMessage, type RoomRequest } from '@tappaas/client';
import { platformHome, storeOnly, type PlatformProcess } from '../../../test/platform-process.ts';
import { runsRedis, startRedis } from './redis-server.ts';

const withRedis = runsRedis ? test.serial : test.serial.skip;
const collection = '/api/v1/namespaces/default/configmaps';
const maps: RoomRequest = { topic: 'objects', version: 'v1', plural: 'configmaps', namespace: 'default' };
const pageName = 'process_resident_memory_bytes';
const clientsMax = 64;

interface Started {
  readonly platform: PlatformProcess;
  readonly over: AbortSignal;
}

let started: Started;
const closing: (() => Promise<unknown> | void)[] = [];
test.before(async (t) => {
  t.timeout(180_000);
  if (!runsRedis) return;
  const redis = await startRedis();
  closing.push(() => redis.remove());
  const sockets = { use: '@tappaas/sockets-redis', config: { url: redis.url } };
  const home = await platformHome({ plugins: { ...storeOnly, sockets }, api: { workers: 2 } });
  closing.push(() => home.remove());
  const platform = await home.start();
  const over = new AbortController();
  started = { platform, over: over.signal };
  closing.push(
    () => platform.stop(),
    () => over.abort(),
  );
});
test.after.always(async () => {
  for (const close of closing.toReversed()) await close();
});

type Metrics = RoomMessage & { readonly type: 'METRICS' };

/** The metrics pages that a client receives, as they arrive. */
async function* pagesOf(client: Client): AsyncGenerator<Metrics> {
  for await (const message of client.room({ topic: 'metrics', names: [pageName] }, started.over))
    if (message.type === 'METRICS') yield message;
}

/**
 * Opens a client on each worker. The system assigns connections to workers, so clients are opened until the first page of each shows both.
 */
async function onBoth(t: ExecutionContext): Promise<readonly [Client, Client]> {
  const { server, token, ca } = started.platform.connection;
  const found = new Map<string, Client>();
  for (let opened = 0; opened < clientsMax && found.size < 2; opened += 1) {
    const client = createClient({ server, token, certificateAuthority: ca.toString() });
    t.teardown(() => client.close());
    for await (const { replica } of pagesOf(client)) {
      found.set(replica, found.get(replica) ?? client);
      break;
    }
  }
  const [one, two] = [found.get('w1'), found.get('w2')];
  if (one === undefined || two === undefined) throw new Error(`${clientsMax} clients came to ${[...found.keys()].join(', ')} only`);
  return [one, two];
}

async function write(name: string): Promise<void> {
  const { status, text } = await started.platform.api('POST', collection, { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name } });
  if (status !== 201) throw new Error(text);
}

interface Received {
  readonly type: string;
  readonly name: string | undefined;
  readonly resourceVersion: string;
}

/** What a client receives in a room, up to one object. */
async function receivedUntil(
  client: Client,
  request: RoomRequest,
  last: string,
  synced: () => void = () => {},
): Promise<readonly Received[]> {
  const received: Received[] = [];
  for await (const message of client.room(request, started.over)) {
    if (message.type === 'SYNCED') synced();
    if (!('object' in message)) continue;
    const { name } = (message.object as { readonly metadata: { readonly name: string } }).metadata;
    received.push({ type: message.type, name, resourceVersion: message.resourceVersion });
    if (name === last) break;
  }
  return received;
}

withRedis('what is written reaches the clients of both workers, once each, and either goes on where the other was', async (t) => {
  t.timeout(120_000);
  const clients = await onBoth(t);
  const synced = clients.map(() => Promise.withResolvers<void>());
  const receiving = clients.map((client, index) => receivedUntil(client, maps, 'room-9', synced[index]?.resolve));
  await Promise.all(synced.map(({ promise }) => promise));
  const names = Array.from({ length: 10 }, (_, index) => `room-${index}`);
  for (const name of names) await write(name);
  const both = await Promise.all(receiving);
  const perClient = both.map((received) => received.filter(({ name }) => name?.startsWith('room-')));
  for (const received of perClient) {
    t.deepEqual(
      received.map(({ type, name }) => [type, name]),
      names.map((name) => ['ADDED', name]),
    );
  }
  t.deepEqual(perClient[0], perClient[1]);
  await write('room-later');
  const from = perClient.map((received) => received[6]?.resourceVersion ?? '');
  for (const [index, client] of clients.toReversed().entries()) {
    const resumed = await receivedUntil(client, { ...maps, resourceVersion: from[index] ?? '' }, 'room-later');
    t.deepEqual(
      resumed.map(({ name }) => name),
      ['room-7', 'room-8', 'room-9', 'room-later'],
    );
  }
});

withRedis('metrics of the whole platform are told once a round, whichever worker a client is connected to', async (t) => {
  t.timeout(120_000);
  const clients = await onBoth(t);
  for (const client of clients) {
    const rounds: { readonly atMs: number; readonly processes: readonly string[] }[] = [];
    for await (const { text } of pagesOf(client)) {
      const processes = [...text.matchAll(/process="([^"]+)"/g)].map(([, process = '']) => process);
      rounds.push({ atMs: performance.now(), processes });
      if (rounds.length === 3) break;
    }
    for (const { processes } of rounds) t.deepEqual(processes, ['primary', 'w1', 'w2']);
    const [first, second, third] = rounds.map(({ atMs }) => atMs);
    t.true((second ?? 0) - (first ?? 0) > 2_000 && (third ?? 0) - (second ?? 0) > 2_000, 'a round tells one page');
  }
});
