import assert from 'node:assert/strict';
import type { ResourceStore } from '@tappaas/sdk';
import {
  compactAndClear,
  contents,
  everything,
  failure,
  firstOf,
  line,
  put,
  readUntil,
  remove,
  storeCases,
  text,
  type MakeStore,
} from './harness.js';

/** Snapshots, and restores after which no earlier cursor remains valid. */
export const snapshots = (make: MakeStore) =>
  storeCases(make, {
    'a restore brings back everything the snapshot held, claims and leases too': async ({ store, pass }) => {
      const lease = await store.grantLease(600);
      await put(store, { leased: '1' }, lease.id);
      for (let step = 0; step < 20; step++) await put(store, { [`k${step % 6}`]: `${step}` });
      await remove(store, 'k2');
      await store.transact({
        claims: [
          { counter: 'n', amount: 5 },
          { unique: 'host', holder: 'a' },
        ],
        changes: [],
      });
      const before = await contents(store);
      const found = await store.get('k3');
      const snapshot = await collect(store.snapshot());
      await put(store, { k3: 'changed', later: '1' });
      await store.transact({
        claims: [
          { counter: 'n', amount: 3 },
          { release: 'host', holder: 'a' },
        ],
        changes: [{ delete: 'k1' }],
      });
      await store.restore(stream(snapshot));
      assert.deepEqual(await contents(store), before);
      assert.deepEqual(await store.get('k3'), found);
      assert.equal((await store.transact({ claims: [{ counter: 'n', amount: 1, max: 5 }], changes: [] })).ok, false);
      assert.equal((await store.transact({ claims: [{ unique: 'host', holder: 'b' }], changes: [] })).ok, false);
      await store.keepLeaseAlive(lease.id);
      const from = (await store.currentRevision()) + 1;
      const received = readUntil(store.watch({ start: 'leased', end: 'm', fromRevision: from }), from);
      await pass(650);
      assert.deepEqual((await received).map(line), [`${from} leased deleted`]);
    },
    'a snapshot shows one revision, whatever is written and compacted while it is read': async ({ store }) => {
      const large = 'x'.repeat(100_000);
      for (let step = 10; step < 50; step++) await put(store, { [`k${step}`]: `${step} ${large}` });
      const before = await contents(store);
      const chunks: Uint8Array[] = [];
      for await (const chunk of store.snapshot()) {
        chunks.push(chunk);
        await put(store, { k11: 'new', k48: 'new', [`n${chunks.length}`]: 'new' });
        await remove(store, 'k47');
        await compactAndClear(store, await store.currentRevision());
      }
      await store.restore(stream(chunks));
      assert.deepEqual(await contents(store), before);
    },
    'a restore raises the epoch, and its revision lies beyond every revision told before': async ({ store }) => {
      await put(store, { a: '1' });
      const snapshot = await collect(store.snapshot());
      for (let step = 0; step < 10; step++) await put(store, { a: `${step}` });
      const [epoch, received] = [store.epoch, await store.currentRevision()];
      await store.restore(stream(snapshot));
      assert.equal(store.epoch, epoch + 1);
      assert.equal(await store.currentRevision(), received + 1);
      assert.equal(text(await store.get('a')), '1');
      assert.equal(await put(store, { a: 'after' }), received + 2);
      await store.restore(stream(snapshot));
      assert.equal(store.epoch, epoch + 2);
      assert.equal(await store.currentRevision(), received + 3);
    },
    'a restore cuts every watch, and nothing from before it can be read or watched': async ({ store }) => {
      await put(store, { a: '1' });
      const live = store.watch({ ...everything, fromRevision: 2 })[Symbol.asyncIterator]();
      const future = store.watch({ ...everything, fromRevision: 50 })[Symbol.asyncIterator]();
      const unread = store.watch({ ...everything, fromRevision: 1 });
      const waiting = [live.next(), future.next()];
      await store.restore(stream(await collect(store.snapshot())));
      const all = [...waiting, firstOf(unread), firstOf(store.watch({ ...everything, fromRevision: 2 }))];
      for (const cut of await Promise.all(all.map((watch) => failure(watch, 'TAP_STORE_COMPACTED')))) assert.equal(cut.data['revision'], 3);
      await failure(store.get('a', 1), 'TAP_STORE_COMPACTED');
      await put(store, { b: '1' });
      assert.deepEqual((await readUntil(store.watch({ ...everything, fromRevision: 3 }), 3)).map(line), ['3 b=1']);
    },
    'a damaged or cut-off snapshot is refused and leaves what was there': async ({ store }) => {
      await put(store, { a: '1', b: 'x'.repeat(5_000) });
      const whole = Buffer.concat(await collect(store.snapshot()));
      await put(store, { a: '2' });
      const [before, epoch, revision] = [await contents(store), store.epoch, await store.currentRevision()];
      const flipped = Buffer.from(whole);
      flipped[whole.length >> 1] = (flipped[whole.length >> 1] ?? 0) ^ 1;
      for (const bad of [whole.subarray(0, -1), whole.subarray(0, whole.length >> 1), flipped, Buffer.alloc(0), Buffer.from('nonsense')]) {
        await failure(store.restore(stream([bad])), 'TAP_STORE_CORRUPT');
      }
      assert.deepEqual([await contents(store), store.epoch, await store.currentRevision()], [before, epoch, revision]);
      await store.restore(stream(slices(whole, 7)));
      assert.equal(text(await store.get('a')), '1');
    },
    'a snapshot of an empty store restores to an empty store': async ({ store }) => {
      const snapshot = await collect(store.snapshot());
      await put(store, { a: '1' });
      await store.restore(stream(snapshot));
      assert.deepEqual(await contents(store), []);
    },
  });

async function collect(snapshot: ReturnType<ResourceStore['snapshot']>): Promise<readonly Uint8Array[]> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of snapshot) chunks.push(chunk);
  return chunks;
}

async function* stream(chunks: readonly Uint8Array[]): AsyncGenerator<Uint8Array, void, undefined> {
  yield* chunks;
}

/** Splits bytes into pieces of another size. */
function slices(whole: Uint8Array, bytesMax: number): readonly Uint8Array[] {
  return Array.from({ length: Math.ceil(whole.length / bytesMax) }, (_, index) => whole.subarray(index * bytesMax, (index + 1) * bytesMax));
}
