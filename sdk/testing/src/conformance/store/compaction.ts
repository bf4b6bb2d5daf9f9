import assert from 'node:assert/strict';
import {
  bytes,
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

/** Compaction, the source of most bugs in revisioned stores. */
export const compaction = (make: MakeStore) =>
  storeCases(make, {
    'the compacted revision can still be read, the one before it is gone': async ({ store }) => {
      for (let step = 1; step <= 6; step++) await put(store, { a: `${step}`, [`k${step}`]: 'v' });
      await compactAndClear(store, 4);
      assert.deepEqual(await contents(store, 4), ['a=4', 'k1=v', 'k2=v', 'k3=v', 'k4=v']);
      assert.equal(text(await store.get('a', 4)), '4');
      assert.equal(text(await store.get('a', 5)), '5');
      for (const read of [store.get('a', 3), store.range({ ...everything, itemsMax: 1, revision: 3 })]) {
        assert.equal((await failure(read, 'TAP_STORE_COMPACTED')).data['revision'], 4);
      }
      assert.equal(store.health().compactedRevision, 4);
      assert.equal(await store.currentRevision(), 6);
    },
    'a watch from the compacted revision is refused, the one after it tells everything': async ({ store }) => {
      for (let step = 1; step <= 6; step++) await put(store, { a: `${step}` });
      await compactAndClear(store, 4);
      for (const fromRevision of [1, 4]) {
        const error = await failure(firstOf(store.watch({ ...everything, fromRevision })), 'TAP_STORE_COMPACTED');
        assert.equal(error.data['revision'], 5);
      }
      const events = await readUntil(store.watch({ ...everything, fromRevision: 5, previous: true }), 6);
      assert.deepEqual(
        events.map((event) => `${line(event)} was ${text(event.previous)}`),
        ['5 a=5 was 4', '6 a=6 was 5'],
      );
    },
    'deletions at and around the boundary are told or refused, never left out': async ({ store }) => {
      await put(store, { a: '1', b: '1', c: '1' });
      await remove(store, 'a');
      await remove(store, 'b');
      await remove(store, 'c');
      await compactAndClear(store, 3);
      await failure(firstOf(store.watch({ ...everything, fromRevision: 3 })), 'TAP_STORE_COMPACTED');
      assert.deepEqual((await readUntil(store.watch({ ...everything, fromRevision: 4 }), 4)).map(line), ['4 c deleted']);
      assert.deepEqual(await contents(store, 3), ['c=1']);
      await compactAndClear(store, 4);
      assert.deepEqual(await contents(store, 4), []);
      assert.deepEqual(await contents(store), []);
    },
    'a key deleted after the compacted revision can be read there': async ({ store }) => {
      await put(store, { a: '1' });
      await put(store, { b: '1' });
      await remove(store, 'a');
      await compactAndClear(store, 2);
      assert.equal(text(await store.get('a', 2)), '1');
      assert.equal(await store.get('a', 3), undefined);
      assert.deepEqual(await contents(store, 2), ['a=1', 'b=1']);
    },
    'a key deleted and made again keeps its own life across a compaction': async ({ store }) => {
      await put(store, { a: '1' });
      await remove(store, 'a');
      const again = await put(store, { a: '2' });
      await compactAndClear(store, 2);
      assert.equal(await store.get('a', 2), undefined);
      const found = await store.get('a');
      assert.deepEqual([found?.createRevision, found?.version], [again, 1]);
      await compactAndClear(store, again);
      assert.deepEqual(await store.get('a'), found);
    },
    'compacting twice or the future is refused, compacting the newest is not': async ({ store }) => {
      for (let step = 1; step <= 3; step++) await put(store, { a: `${step}` });
      await compactAndClear(store, 2);
      await failure(store.compact(2), 'TAP_STORE_COMPACTED');
      await failure(store.compact(1), 'TAP_STORE_COMPACTED');
      await failure(store.compact(4), 'TAP_STORE_FUTURE_REVISION');
      await compactAndClear(store, 3);
      assert.deepEqual(await contents(store), ['a=3']);
      assert.equal(await put(store, { a: '4' }), 4);
    },
    'a live watch goes on through a compaction': async ({ store }) => {
      const watch = store.watch({ ...everything, fromRevision: 1 });
      const reading = readUntil(watch, 30);
      for (let step = 1; step <= 30; step++) {
        await put(store, { a: `${step}` });
        if (step % 10 === 0) await compactAndClear(store, step - 5);
      }
      // The reader started before the first compaction, and never lags behind one.
      assert.deepEqual(
        (await reading).map(({ revision }) => revision),
        Array.from({ length: 30 }, (_, index) => index + 1),
      );
    },
    'a list in pages ends with an error, not with a gap, when its revision is compacted': async ({ store }) => {
      for (let step = 1; step <= 10; step++) await put(store, { [`k${step}`]: 'v' });
      const first = await store.range({ ...everything, itemsMax: 4 });
      await put(store, { a: '1' });
      await compactAndClear(store, first.revision + 1);
      const next = { start: `${first.items.at(-1)?.key}\0`, end: everything.end, itemsMax: 4, revision: first.revision };
      await failure(store.range(next), 'TAP_STORE_COMPACTED');
    },
    'compaction gives space back': async ({ store }) => {
      const value = new Uint8Array(10_000);
      for (let step = 0; step < 300; step++) await store.transact({ changes: [{ put: 'a', value }] });
      await compactAndClear(store, 300);
      const before = store.health().sizeBytes;
      for (let step = 0; step < 150; step++) await store.transact({ changes: [{ put: 'a', value }] });
      assert(store.health().sizeBytes <= before + 150 * 12_000);
      assert.deepEqual((await store.range({ ...everything, itemsMax: 10 })).count, 1);
    },
    'guards and versions do not notice a compaction': async ({ store }) => {
      const made = await put(store, { a: '1' });
      const changed = await put(store, { a: '2' });
      await compactAndClear(store, changed);
      const result = await store.transact({
        guards: [
          { key: 'a', createRevision: made },
          { key: 'a', modRevision: changed },
        ],
        changes: [{ put: 'a', value: bytes('3') }],
      });
      assert(result.ok);
      assert.equal((await store.get('a'))?.version, 3);
    },
  });
