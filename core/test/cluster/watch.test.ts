import test from 'ava';
import type { KubernetesObject } from '@tappaas/sdk';
import { readLines } from '../../dist/cluster/lines.js';
import type { WatchEvent } from '../../dist/cluster/watch-event.js';
import { clusterSource } from '../../dist/cluster/source.js';
import { createInformer, type Informer } from '../../dist/reconcile/informer.js';
import { faults } from './api-server.ts';
import { podResource as pods, startCluster, type TestCluster } from './set-up.ts';

test('a watch tells changes after its revision, bookmarks among them', async (t) => {
  const { client, server, eventually } = await startCluster(t);
  server.put('old');
  const stop = new AbortController();
  const events: string[] = [];
  const reading = (async () => {
    for await (const event of client.watch(pods, { fromRevision: '101', timeoutMs: 90_000, labels: 'app=shop', signal: stop.signal })) {
      events.push(event.type === 'bookmark' ? `bookmark ${event.revision}` : `${event.type} ${event.object.metadata.name}`);
    }
  })();
  await eventually(() => server.openWatches === 1);
  server.put('web');
  server.put('web');
  server.bookmark();
  server.remove('web');
  await eventually(() => events.length === 4);
  t.deepEqual(events, ['added web', 'modified web', 'bookmark 103', 'deleted web']);
  const { searchParams } = server.seen[0]?.url ?? new URL('http://none');
  t.is(searchParams.get('allowWatchBookmarks'), 'true');
  t.is(searchParams.get('timeoutSeconds'), '90');
  t.is(searchParams.get('labelSelector'), 'app=shop');
  stop.abort(new Error('enough'));
  await t.throwsAsync(reading, { message: 'enough' });
  await eventually(() => server.openWatches === 0);
});

test('leaving a watch closes its connection', async (t) => {
  const { client, server, eventually } = await startCluster(t);
  server.put('web');
  for await (const event of client.watch(pods, { fromRevision: '0' })) {
    t.is(event.type, 'added');
    break;
  }
  await eventually(() => server.openWatches === 0);
});

test('a hundred watches do not stand in the way of requests', async (t) => {
  const { client, server, eventually } = await startCluster(t, { connectionsMax: 2 });
  const stop = new AbortController();
  const reading = Array.from({ length: 100 }, async () => {
    for await (const event of client.watch(pods, { fromRevision: '0', signal: stop.signal })) t.log(event.type);
  });
  await eventually(() => server.openWatches === 100);
  await t.notThrowsAsync(client.list(pods));
  stop.abort();
  await Promise.allSettled(reading);
});

test('an expired revision is told as such, at the start of a watch and inside it', async (t) => {
  const { client, server, eventually } = await startCluster(t);
  server.put('web');
  server.compact();
  const read = async (fromRevision: string): Promise<WatchEvent<KubernetesObject>[]> => {
    const events: WatchEvent<KubernetesObject>[] = [];
    for await (const event of client.watch(pods, { fromRevision })) events.push(event);
    return events;
  };
  await t.throwsAsync(read('1'), { code: 'TAP_OBJECT_EXPIRED' });
  const inside = t.throwsAsync(read(server.put('web').metadata.resourceVersion), { code: 'TAP_OBJECT_EXPIRED' });
  await eventually(() => server.openWatches === 1);
  server.expireWatches();
  await inside;
});

test('a watch that does not begin in time is given up', async (t) => {
  const { client, server, during } = await startCluster(t);
  server.always = faults.hang;
  await t.throwsAsync(during(client.watch(pods, { fromRevision: '1' }).next(), 12_000), { code: 'TAP_CLUSTER_TIMEOUT' });
});

test('lines are cut wherever the network cuts them', async (t) => {
  const text = '{"a":"ä"}\n\n{"b":"日本"}\nlast';
  const bytes = Buffer.from(text);
  for (const size of [1, 2, 3, 7, 1_000]) {
    const chunks = async function* (): AsyncGenerator<Uint8Array> {
      for (let start = 0; start < bytes.length; start += size) yield bytes.subarray(start, start + size);
    };
    const lines: string[] = [];
    for await (const line of readLines(chunks(), 'test')) lines.push(line);
    t.deepEqual(lines, text.split('\n'));
  }
});

test('a line without end is not read forever', async (t) => {
  const endless = async function* (): AsyncGenerator<Uint8Array> {
    for (;;) yield Buffer.alloc(1024 * 1024, 'x');
  };
  await t.throwsAsync(readLines(endless(), 'test').next(), { code: 'TAP_CLUSTER_ANSWER_TOO_LARGE' });
});

function follow(t: { teardown(work: () => void): void }, { client, clock }: TestCluster): Informer<KubernetesObject> {
  const informer = createInformer<KubernetesObject>({
    name: 'pods',
    source: clusterSource(client, pods, { namespace: 'shop', pageItems: 2 }),
    clock,
    random: () => 0.5,
    backoff: (failures) => Math.min(10_000, 200 * 2 ** failures),
  });
  const stop = new AbortController();
  t.teardown(() => stop.abort());
  void informer.run(stop.signal);
  return informer;
}

const injections: Record<string, (cluster: TestCluster) => void> = {
  'a cut': ({ server }) => server.cutWatches(),
  'a 410 inside the watch': ({ server }) => server.expireWatches(),
  'a 410 when resuming': ({ server }) => {
    server.cutWatches();
    server.compact();
  },
  'an expired continue token': ({ server }) => {
    server.expireWatches();
    server.faults.push((_, response) => (response.writeHead(410).end('{"code":410,"reason":"Expired"}'), true));
    server.faults.push((_, response) => (response.writeHead(410).end('{"code":410,"reason":"Expired"}'), true));
  },
  '429 with Retry-After': ({ server }) => {
    server.faults.push(faults.status(429, { 'retry-after': '5' }), faults.status(429, { 'retry-after': '5' }));
    server.cutWatches();
  },
  '5xx answers': ({ server }) => {
    server.faults.push(faults.status(500), faults.status(502), faults.status(503));
    server.cutWatches();
  },
  resets: ({ server }) => {
    server.faults.push(faults.reset, faults.reset, faults.reset);
    server.cutWatches();
  },
  'a half-open connection': ({ server }) => server.muteWatches(),
};

for (const [name, inject] of Object.entries(injections)) {
  test(`a cache that follows a cluster recovers from ${name} within 30 s`, async (t) => {
    const cluster = await startCluster(t);
    const { server, eventually } = cluster;
    for (let n = 0; n < 5; n += 1) server.put(`pod-${n}`);
    const informer = follow(t, cluster);
    await eventually(() => informer.size === 5 && server.openWatches === 1);
    inject(cluster);
    server.put('pod-0', { spec: { changed: true } });
    server.remove('pod-1');
    server.put('new');
    const tookMs = await eventually(() => informer.get('shop/new') !== undefined && informer.get('shop/pod-1') === undefined);
    t.deepEqual(informer.get('shop/pod-0')?.['spec'], { changed: true });
    t.true(tookMs <= 30_000);
  });
}

test('a cache that follows a cluster loses and doubles nothing over 2,000 changes with a cut every 50', async (t) => {
  const cluster = await startCluster(t);
  const { server, eventually } = cluster;
  const informer = follow(t, cluster);
  const live = new Map<string, string>();
  const wrong: string[] = [];
  informer.addHandler({
    add: ({ metadata: { name = '', uid = '' } }) => {
      if (live.has(name)) wrong.push(`added ${name} twice`);
      live.set(name, uid);
    },
    update: ({ metadata: { name = '', uid } }) => {
      if (live.get(name) !== uid) wrong.push(`updated another ${name}`);
    },
    delete: ({ metadata: { name = '', uid } }) => {
      if (live.get(name) !== uid) wrong.push(`deleted another ${name}`);
      live.delete(name);
    },
  });
  await eventually(() => server.openWatches === 1);
  for (let n = 0; n < 2_000; n += 1) {
    const name = `pod-${(n * 7) % 31}`;
    if (n % 3 === 2) server.remove(name);
    else server.put(name);
    if (n % 50 === 49) server.cutWatches();
    if (n % 500 === 499) server.compact();
    if (n % 100 === 99) await eventually(() => server.openWatches === 1);
  }
  server.put('last');
  await eventually(() => live.has('last'));
  const { items } = await cluster.client.list(pods);
  t.deepEqual(wrong, []);
  t.deepEqual(
    [...live].map(([name, uid]) => `${name} ${uid}`).toSorted(),
    items.map(({ metadata }) => `${metadata.name} ${metadata.uid}`).toSorted(),
  );
});
