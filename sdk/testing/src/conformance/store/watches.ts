import assert from 'node:assert/strict';
import type { StoreEvent, WatchBatch } from '@tappaas/sdk';
import {
  batchesUntil,
  bytes,
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

/** Watches: ordered, unique, reliable, atomic, resumable, with progress marks, and cut off instead of skipping events. */
export const watches = (make: MakeStore) =>
  storeCases(make, {
    'a watch tells every change in the order of revisions, each once': async ({ store }) => {
      const watch = store.watch({ ...everything, fromRevision: 1 });
      const expected: string[] = [];
      for (let step = 1; step <= 60; step++) {
        const key = `k${step % 5}`;
        if (step % 7 === 0) expected.push(`${await remove(store, key)} ${key} deleted`);
        else expected.push(`${await put(store, { [key]: `${step}` })} ${key}=${step}`);
      }
      assert.deepEqual((await readUntil(watch, 60)).map(line), expected);
    },
    'a watch that is read while clients write misses nothing and doubles nothing': async ({ store }) => {
      const watch = store.watch({ ...everything, fromRevision: 1 });
      const reading = readUntil(watch, 400);
      const client = async (name: number) => {
        for (let round = 0; round < 50; round++) await put(store, { [`k${name}`]: `${round}` });
      };
      await Promise.all(Array.from({ length: 8 }, (_, name) => client(name)));
      const events = await reading;
      assert.deepEqual(
        events.map(({ revision }) => revision),
        Array.from({ length: 400 }, (_, index) => index + 1),
      );
      for (let name = 0; name < 8; name++) {
        const received = events.filter(({ key }) => key === `k${name}`).map(({ current }) => text(current));
        assert.deepEqual(
          received,
          Array.from({ length: 50 }, (_, round) => `${round}`),
        );
      }
    },
    'a transaction is told whole: no batch ends inside a revision': async ({ store }) => {
      const keys = Array.from({ length: 300 }, (_, index) => `k${index}`);
      for (let round = 0; round < 10; round++) await put(store, Object.fromEntries(keys.map((key) => [key, `${round}`])));
      const sizes = new Map<number, number>();
      for await (const { revision, events } of batchesUntil(store.watch({ ...everything, fromRevision: 1 }), 10)) {
        for (const event of events) {
          assert(event.revision <= revision);
          sizes.set(event.revision, (sizes.get(event.revision) ?? 0) + 1);
        }
        for (const [received, size] of sizes) assert.equal(size, 300, `revision ${received} is cut at ${revision}`);
      }
      assert.equal(sizes.size, 10);
    },
    'replaying the events of a watch gives what a range shows at each revision': async ({ store }) => {
      const state = new Map<string, string>();
      for (let step = 0; step < 40; step++) {
        await put(store, { [`k${step % 6}`]: `${step}`, [`l${step % 4}`]: `${step}` });
        if (step % 3 === 0) await remove(store, `k${(step + 2) % 6}`, `l${(step + 1) % 4}`);
      }
      for await (const { revision, events } of batchesUntil(
        store.watch({ ...everything, fromRevision: 1 }),
        await store.currentRevision(),
      )) {
        for (const { key, current } of events) {
          if (current === undefined) state.delete(key);
          else state.set(key, text(current) ?? '');
        }
        const replayed = [...state].map(([key, value]) => `${key}=${value}`).toSorted();
        assert.deepEqual(replayed, await contents(store, revision));
      }
    },
    'a watch resumes after the last batch, on history as well as live': async ({ store }) => {
      for (let step = 1; step <= 30; step++) await put(store, { [`k${step}`]: 'v' });
      const received: StoreEvent[] = [];
      let next = 1;
      while (next <= 60) {
        if (next > 10) await Promise.all([put(store, { [`n${next}a`]: 'v' }), put(store, { [`n${next}b`]: 'v' })]);
        const batch: WatchBatch = await firstOf(store.watch({ ...everything, fromRevision: next }));
        received.push(...batch.events);
        next = batch.revision + 1;
      }
      assert.deepEqual(
        received.map(({ revision }) => revision),
        Array.from({ length: received.length }, (_, index) => index + 1),
      );
    },
    'a list and a watch from the revision after it miss nothing': async ({ store }) => {
      const writing = (async () => {
        for (let step = 0; step < 200; step++) await put(store, { [`k${step % 9}`]: `${step}` });
      })();
      for (let round = 0; round < 5; round++) {
        const { items, revision } = await store.range({ ...everything, itemsMax: 100 });
        const state = new Map(items.map((item) => [item.key, text(item)]));
        const until = revision + 20;
        for (const { key, current } of await readUntil(store.watch({ ...everything, fromRevision: revision + 1 }), until)) {
          state.set(key, text(current));
        }
        assert(state.size >= 9 || revision < 9);
        if (round === 4) await writing;
      }
      await writing;
      const { items, revision } = await store.range({ ...everything, itemsMax: 100 });
      assert.equal(revision, 200);
      assert.deepEqual(
        items.map((item) => text(item)),
        ['198', '199', '191', '192', '193', '194', '195', '196', '197'],
      );
    },
    'a watch tells only its interval, start included and end excluded': async ({ store }) => {
      const watch = store.watch({ start: 'b', end: 'd', fromRevision: 1 });
      for (const key of ['a', 'b', 'c', 'c/x', 'd', 'e']) await put(store, { [key]: 'v' });
      await put(store, { a: '2', b: '2', d: '2' });
      assert.deepEqual((await readUntil(watch, 7)).map(line), ['2 b=v', '3 c=v', '4 c/x=v', '7 b=2']);
    },
    'a watch from a future revision tells nothing earlier, not even that time passed': async ({ store }) => {
      await put(store, { a: '1' });
      const watch = store.watch({ ...everything, fromRevision: 5 });
      watch.requestProgress();
      const reading = (async () => {
        const batches: WatchBatch[] = [];
        for await (const batch of batchesUntil(watch, 7)) batches.push(batch);
        return batches;
      })();
      for (const value of ['2', '3', '4', '5', '6', '7']) await put(store, { a: value });
      const batches = await reading;
      assert.deepEqual(
        batches.flatMap(({ events }) => events.map(line)),
        ['5 a=5', '6 a=6', '7 a=7'],
      );
      assert(batches.every(({ revision }) => revision >= 4));
    },
    'progress asked for is told even when nothing matches': async ({ store }) => {
      const watch = store.watch({ start: 'x', end: 'y', fromRevision: 1 });
      const newest = await put(store, { a: '1' });
      watch.requestProgress();
      const batches = watch[Symbol.asyncIterator]();
      assert.deepEqual((await batches.next()).value, { revision: newest, events: [] });
      const later = batches.next();
      const newer = await put(store, { a: '2' });
      watch.requestProgress();
      assert.deepEqual((await later).value, { revision: newer, events: [] });
      await batches.return?.();
    },
    'a progress mark never overtakes an event': async ({ store }) => {
      const watch = store.watch({ start: 'x', end: 'y', fromRevision: 1 });
      const seen = new Set<number>();
      const writing = (async () => {
        for (let step = 1; step <= 100; step++) {
          await put(store, { [step % 3 === 0 ? 'x1' : 'a']: `${step}` });
          watch.requestProgress();
        }
      })();
      for await (const { revision, events } of batchesUntil(watch, 100)) {
        for (const event of events) seen.add(event.revision);
        for (let due = 3; due <= revision; due += 3) assert(seen.has(due), `told ${revision} before the event of ${due}`);
      }
      await writing;
    },
    'a progress mark asked for by a reader who lags comes behind the events that wait': async ({ store }) => {
      const watch = store.watch({ start: 'x', end: 'y', fromRevision: 1 });
      const batches = watch[Symbol.asyncIterator]();
      const live = batches.next();
      watch.requestProgress();
      assert.deepEqual((await live).value, { revision: 0, events: [] });
      for (const key of ['x1', 'a', 'x2', 'b']) await put(store, { [key]: 'v' });
      watch.requestProgress();
      const received: string[] = [];
      for (let revision = 0; revision < 4;) {
        const batch = (await batches.next()).value as WatchBatch;
        received.push(...batch.events.map(line));
        revision = batch.revision;
        if (revision >= 3) assert.deepEqual(received, ['1 x1=v', '3 x2=v']);
      }
      await batches.return?.();
    },
    'progress is told from time to time while nothing matches': async ({ store, pass }) => {
      const watch = store.watch({ start: 'x', end: 'y', fromRevision: 1, progressEveryMs: 200 });
      const newest = await put(store, { a: '1' });
      const mark = (async () => {
        for await (const batch of watch) if (batch.revision >= newest) return batch;
        return undefined;
      })();
      await put(store, { a: '1' });
      await pass(200);
      await pass(200);
      assert.deepEqual((await mark)?.events, []);
    },
    'events carry what stood there before, when asked': async ({ store }) => {
      await put(store, { a: '1', b: '1' });
      await put(store, { a: '2' });
      await remove(store, 'a');
      await put(store, { a: '3' });
      const withPrevious = await readUntil(store.watch({ ...everything, fromRevision: 1, previous: true }), 4);
      assert.deepEqual(
        withPrevious.map(({ previous }) => text(previous)),
        [undefined, undefined, '1', '2', undefined],
      );
      assert.deepEqual(withPrevious[3]?.previous, await store.get('a', 2));
      const withoutPrevious = await readUntil(store.watch({ ...everything, fromRevision: 1 }), 4);
      assert(withoutPrevious.every(({ previous }) => previous === undefined));
    },
    'events that come live carry what stood there before, too': async ({ store }) => {
      const watch = store.watch({ ...everything, fromRevision: 1, previous: true });
      const reading = readUntil(watch, 20);
      for (let step = 1; step <= 20; step++) await put(store, { a: `${step}` });
      assert.deepEqual(
        (await reading).map(({ previous }) => text(previous) ?? '0'),
        Array.from({ length: 20 }, (_, index) => `${index}`),
      );
    },
    'a slow watcher is cut with its last revision, and resumes there without a gap': async ({ store }) => {
      const watch = store.watch({ ...everything, fromRevision: 1, bufferedEventsMax: 10 });
      const batches = watch[Symbol.asyncIterator]();
      await put(store, { a: '1' });
      const first = (await batches.next()).value as WatchBatch;
      assert.deepEqual(first.events.map(line), ['1 a=1']);
      // The reader must have caught up: only from then on are events queued for it.
      const second = batches.next();
      watch.requestProgress();
      assert.equal(((await second).value as WatchBatch).revision, 1);
      for (let step = 2; step <= 13; step++) await put(store, { a: `${step}` });
      const cut = await failure(batches.next(), 'TAP_STORE_SLOW_CONSUMER');
      assert.equal(cut.data['revision'], 1);
      const rest = await readUntil(store.watch({ ...everything, fromRevision: 2, bufferedEventsMax: 10 }), 13);
      assert.deepEqual(
        rest.map(({ revision }) => revision),
        Array.from({ length: 12 }, (_, index) => index + 2),
      );
    },
    'a slow reader of history is not cut: history waits in the store': async ({ store }) => {
      for (let step = 1; step <= 40; step++) await put(store, { a: `${step}` });
      const watch = store.watch({ ...everything, fromRevision: 1, bufferedEventsMax: 5 });
      assert.equal((await readUntil(watch, 40)).length, 40);
    },
    'a closed watch ends, and so do the watches of a closed store': async ({ store }) => {
      const one = store.watch({ ...everything, fromRevision: 1 });
      const ends = (async () => {
        for await (const _ of one) assert.fail('nothing was written');
      })();
      one.close();
      await ends;
      const other = store.watch({ ...everything, fromRevision: 1 })[Symbol.asyncIterator]();
      const ended = other.next();
      await put(store, { b: '1' });
      assert.equal((await ended).done, false);
      const last = other.next();
      await store.close();
      assert.equal((await last).done, true);
      await failure(firstOf(store.watch({ ...everything, fromRevision: 1 })), 'TAP_STORE_UNAVAILABLE');
    },
    'what a watch tells can be read at once': async ({ store }) => {
      const watch = store.watch({ ...everything, fromRevision: 1 });
      const writing = Promise.all(
        Array.from({ length: 30 }, (_, index) => store.transact({ changes: [{ put: `k${index}`, value: bytes('v') }] })),
      );
      for await (const { revision, events } of batchesUntil(watch, 30)) {
        assert((await store.currentRevision()) >= revision);
        for (const { key } of events) assert.notEqual(await store.get(key), undefined);
      }
      await writing;
    },
  });
