import { keyAfterPrefix, storeErrors, type KeyValue, type ResourceStore } from '@tappaas/sdk';
import test from 'ava';
import * as fc from 'fast-check';
import { VirtualClock } from '../../../sdk/testing/dist/virtual-clock.js';
import { createMemoryStore } from '../../dist/store/memory-store.js';
import { openWatchCache, type CacheWatch, type WatchCache, type WatchCacheOptions } from '../../dist/store/watch-cache.js';

interface Thing {
  readonly name: string;
  readonly labels: readonly string[];
  readonly revision: number;
}

const prefix = '/things/';
const signal = new AbortController().signal;
const encoder = new TextEncoder();

function stored(labels: readonly string[]): Uint8Array {
  return encoder.encode(JSON.stringify(labels));
}

function decode({ key, value, modRevision }: KeyValue): Thing {
  const labels = JSON.parse(new TextDecoder().decode(value)) as string[];
  return Object.freeze({ name: key.slice(prefix.length), labels, revision: modRevision });
}

const basics = {
  prefix,
  decode,
  encode: (thing: Thing) => encoder.encode(JSON.stringify(thing)),
  restamp: (thing: Thing, revision: number): Thing => ({ ...thing, revision }),
  indexes: { label: (thing: Thing) => thing.labels, name: (thing: Thing) => [thing.name] },
};

async function setUp(options: Partial<WatchCacheOptions<Thing>> = {}) {
  const clock = new VirtualClock();
  const store = createMemoryStore({ clock });
  const cache = openWatchCache<Thing>({ store, clock, ...basics, ...options });
  await cache.waitFor(0, signal);
  return { clock, store, cache };
}

async function put(store: ResourceStore, name: string, ...labels: string[]): Promise<number> {
  const result = await store.transact({ changes: [{ put: prefix + name, value: stored(labels) }] });
  return result.revision;
}

async function remove(store: ResourceStore, name: string): Promise<number> {
  return (await store.transact({ changes: [{ delete: prefix + name }] })).revision;
}

async function consistent(store: ResourceStore, cache: WatchCache<Thing>): Promise<void> {
  await cache.waitFor(await store.currentRevision(), signal);
}

function names(items: readonly { readonly object: Thing }[]): string {
  return items.map(({ object }) => object.name).join(' ');
}

/** Events of a watch in short, until everything up to `revision` was told. */
async function reported(watch: CacheWatch<Thing>, revision: number): Promise<readonly string[]> {
  const lines: string[] = [];
  for await (const batch of watch) {
    for (const { type, revision: at, entry } of batch.events) lines.push(`${at} ${type} ${entry.object.name}@${entry.object.revision}`);
    if (batch.revision >= revision) break;
  }
  return lines;
}

test('a read after waiting for the store sees every acknowledged write, also one that concerns another prefix', async (t) => {
  const { store, cache } = await setUp();
  await put(store, 'a', 'x');
  await consistent(store, cache);
  t.deepEqual(cache.get('/things/a')?.object, { name: 'a', labels: ['x'], revision: 1 });
  await store.transact({ changes: [{ put: '/other/a', value: stored([]) }] });
  await consistent(store, cache);
  t.is(cache.revision, 2);
  t.is(cache.size, 1);
  await remove(store, 'a');
  await consistent(store, cache);
  t.is(cache.get('/things/a'), undefined);
});

test('an object is decoded once and serialised once a revision, however often it is read and told', async (t) => {
  let decoded = 0;
  let encoded = 0;
  const { store, cache } = await setUp({
    decode: (value) => (decoded++, decode(value)),
    encode: (thing) => (encoded++, basics.encode(thing)),
  });
  const watches = [1, 2, 3].map(() => cache.watch({ afterRevision: 0 }));
  await put(store, 'a', 'x');
  await consistent(store, cache);
  for (const watch of watches) {
    for await (const { events } of watch) {
      t.is(events[0]?.entry.json, cache.get('/things/a')?.json);
      break;
    }
  }
  t.deepEqual([decoded, encoded], [1, 1]);
  t.is(cache.list({}).items[0], cache.get('/things/a'));
});

test('a label query asks about nothing but what the index selects', async (t) => {
  const { store, cache } = await setUp();
  for (let index = 0; index < 600; index++) await put(store, `n${index}`, 'all', index % 200 === 0 ? 'rare' : 'common');
  await consistent(store, cache);
  let requested = 0;
  const matches = () => (requested++, true);
  t.is(names(cache.list({ where: [{ index: 'label', values: ['rare'] }], matches }).items), 'n0 n200 n400');
  t.is(
    names(
      cache.list({
        where: [
          { index: 'label', values: ['all'] },
          { index: 'label', values: ['rare'] },
        ],
        matches,
      }).items,
    ),
    'n0 n200 n400',
  );
  t.is(requested, 6);
  t.is(
    names(cache.list({ within: '/things/n20', where: [{ index: 'label', values: ['all', 'rare'] }], itemsMax: 3 }).items),
    'n20 n200 n201',
  );
  t.is(names(cache.list({ where: [{ index: 'label', values: ['none'] }] }).items), '');
  t.throws(() => cache.list({ where: [{ index: 'colour', values: ['red'] }] }), {
    message: /no index colour, expected one of label, name/,
  });
});

test('pages of a list show the revision of its first page, whatever is written meanwhile', async (t) => {
  const { store, cache } = await setUp();
  for (const name of ['a', 'b', 'c', 'd', 'e']) await put(store, name, name === 'c' ? 'y' : 'x');
  await consistent(store, cache);
  const query = { where: [{ index: 'label', values: ['x'] }], itemsMax: 2 } as const;
  const first = cache.list(query);
  t.deepEqual([names(first.items), first.after, first.remaining], ['a b', '/things/b', 2]);
  await put(store, 'aa', 'x');
  await put(store, 'bb', 'x');
  await put(store, 'c', 'x');
  await put(store, 'd', 'y');
  await remove(store, 'e');
  await consistent(store, cache);
  const second = cache.list({ ...query, revision: first.revision, after: first.after ?? '' });
  t.deepEqual([names(second.items), second.after, second.revision], ['d e', undefined, first.revision]);
  t.is(names(cache.list(query).items), 'a aa');
});

test('at every revision of its history a cache lists what the store does, through every index', async (t) => {
  const name = fc.constantFrom('a', 'b', 'c', 'd', 'ns/a', 'ns/b', 'é', '\u{1f600}', '\uff5e');
  const label = fc.constantFrom('x', 'y', 'z');
  const step = fc.record({ name, labels: fc.array(label, { maxLength: 2 }), remove: fc.boolean() });
  const selection = fc.record(
    {
      within: fc.constantFrom(prefix, `${prefix}ns/`),
      where: fc.array(fc.record({ index: fc.constant('label'), values: fc.array(label, { minLength: 1, maxLength: 2 }) }), {
        maxLength: 2,
      }),
    },
    { requiredKeys: [] },
  );
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { maxLength: 25 }),
      fc.array(selection, { minLength: 1, maxLength: 4 }),
      fc.integer({ min: 1, max: 4 }),
      async (steps, selections, itemsMax) => {
        const { store, cache } = await setUp();
        for (const { name, labels, remove: gone } of steps) await (gone ? remove(store, name) : put(store, name, ...labels));
        await consistent(store, cache);
        for (let revision = 0; revision <= cache.revision; revision++) {
          const { items } = await store.range({ start: prefix, end: keyAfterPrefix(prefix), itemsMax: 100, revision });
          for (const { within = prefix, where = [] } of selections) {
            const expected = items
              .map(decode)
              .filter(
                (thing) =>
                  `${prefix}${thing.name}`.startsWith(within) &&
                  where.every(({ values }) => values.some((value) => thing.labels.includes(value))),
              );
            const found: Thing[] = [];
            for (let after: string | undefined, page; page === undefined || after !== undefined; after = page.after) {
              page = cache.list({ within, where, revision, itemsMax, ...(after !== undefined && { after }) });
              if (page.remaining !== undefined) t.is(page.remaining, expected.length - found.length - page.items.length);
              found.push(...page.items.map(({ object }) => object));
            }
            t.deepEqual(found, expected);
          }
        }
        await cache.close();
      },
    ),
    { numRuns: 60 },
  );
});

test('a watch of a selection tells exactly what changes in its list, from any revision on', async (t) => {
  const step = fc.record({
    name: fc.constantFrom('a', 'b', 'c', 'd'),
    labels: fc.array(fc.constantFrom('x', 'y'), { maxLength: 2 }),
    remove: fc.boolean(),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 20 }), fc.nat(), async (steps, cut) => {
      const { store, cache } = await setUp();
      const select = { where: [{ index: 'label', values: ['x'] }] };
      const live = cache.watch({ afterRevision: 0, ...select, bookmarkEveryMs: 1_000 });
      const [early, late] = [new Map<string, number>(), new Map<string, number>()];
      const apply = async (state: Map<string, number>, watch: CacheWatch<Thing>) => {
        for await (const { revision, events } of watch) {
          for (const { type, entry } of events) {
            t.is(type === 'added', !state.has(entry.key));
            if (type === 'deleted') state.delete(entry.key);
            else state.set(entry.key, entry.object.revision);
          }
          if (revision >= cache.revision || events.length === 0) break;
        }
      };
      for (const { name, labels, remove: gone } of steps) await (gone ? remove(store, name) : put(store, name, ...labels));
      await consistent(store, cache);
      const from = cut % (cache.revision + 1);
      for (const { key, object } of cache.list({ ...select, revision: from }).items) late.set(key, object.revision);
      const now = new Map(cache.list(select).items.map(({ key, object }) => [key, object.revision]));
      const missing = cache.watch({ afterRevision: from, ...select });
      live.requestProgress();
      missing.requestProgress();
      await apply(early, live);
      await apply(late, missing);
      for (const state of [early, late]) t.deepEqual(Object.fromEntries(state), Object.fromEntries(now));
      await cache.close();
    }),
    { numRuns: 100 },
  );
});

test('an object that leaves a selection is told as deleted, in its last matching state, with the revision of the change', async (t) => {
  const { store, cache } = await setUp();
  const watch = cache.watch({ afterRevision: 0, where: [{ index: 'label', values: ['x'] }] });
  await put(store, 'a', 'x');
  await put(store, 'a', 'y');
  await put(store, 'a', 'x', 'y');
  await put(store, 'a', 'x');
  await remove(store, 'a');
  t.deepEqual(await reported(watch, 5), ['1 added a@1', '2 deleted a@2', '3 added a@3', '4 modified a@4', '5 deleted a@5']);
});

test('history is bounded by events; what is older is gone, exactly at the boundary', async (t) => {
  const { store, cache } = await setUp({ historyEventsMax: 5 });
  for (let step = 1; step <= 12; step++) await put(store, 'a', `${step}`);
  await consistent(store, cache);
  t.is(cache.oldestRevision, 7);
  t.deepEqual(cache.list({ revision: 7 }).items[0]?.object.labels, ['7']);
  t.throws(() => cache.list({ revision: 6 }), { code: 'TAP_STORE_COMPACTED' });
  t.throws(() => cache.list({ revision: 13 }), { code: 'TAP_STORE_FUTURE_REVISION' });
  t.is((await reported(cache.watch({ afterRevision: 7 }), 12)).length, 5);
  const error = await t.throwsAsync(reported(cache.watch({ afterRevision: 6 }), 12), { code: 'TAP_STORE_COMPACTED' });
  t.like(error, { data: { revision: 7 } });
});

test('history is bounded by bytes', async (t) => {
  const { store, cache } = await setUp({ historyBytesMax: 4_000 });
  for (let step = 1; step <= 20; step++) await put(store, 'a', 'x'.repeat(1_000));
  await consistent(store, cache);
  t.is(cache.oldestRevision, 17);
});

test('a slow watcher is cut with the last revision it was told', async (t) => {
  const { store, cache } = await setUp();
  const watch = cache.watch({ afterRevision: 0, bufferedEventsMax: 3 });
  const batches = watch[Symbol.asyncIterator]();
  const first = batches.next();
  await put(store, 'a');
  t.is((await first).value?.revision, 1);
  for (let step = 2; step <= 5; step++) await put(store, 'a');
  await consistent(store, cache);
  const error = await t.throwsAsync(batches.next(), { code: 'TAP_STORE_SLOW_CONSUMER' });
  t.like(error, { data: { revision: 1 } });
  t.is((await reported(cache.watch({ afterRevision: 1 }), 5)).length, 4);
});

test('a bookmark comes while nothing matches', async (t) => {
  const { clock, store, cache } = await setUp();
  const watch = cache.watch({ afterRevision: 0, bookmarkEveryMs: 1_000, matches: () => false });
  const reading = reported(watch, 1);
  await put(store, 'a');
  await consistent(store, cache);
  await clock.advance(1_000);
  t.deepEqual(await reading, []);
  t.is(watch.revision, 1);
});

test('a selection that throws ends its own watch and no other', async (t) => {
  const { store, cache } = await setUp();
  const bad = cache.watch({
    afterRevision: 0,
    matches: () => {
      throw new Error('bad selector');
    },
  });
  const good = cache.watch({ afterRevision: 0 });
  const [reading, failing] = [reported(good, 1), reported(bad, 1)];
  await put(store, 'a');
  await t.throwsAsync(failing, { message: 'bad selector' });
  t.deepEqual(await reading, ['1 added a@1']);
});

test('a restore of the store ends every watch and replaces what the cache serves', async (t) => {
  const { store, cache } = await setUp();
  await put(store, 'a');
  const snapshot = store.snapshot();
  await put(store, 'b');
  await consistent(store, cache);
  const watching = reported(cache.watch({ afterRevision: 2 }), 99);
  await store.restore(snapshot);
  await consistent(store, cache);
  await t.throwsAsync(watching, { code: 'TAP_STORE_COMPACTED' });
  t.is(names(cache.list({}).items), 'a');
  t.is(cache.oldestRevision, cache.revision);
  t.throws(() => cache.list({ revision: 2 }), { code: 'TAP_STORE_COMPACTED' });
});

test('a cache resumes after failures of the store without losing or doubling an event, and without a new list', async (t) => {
  const clock = new VirtualClock();
  const store = createMemoryStore({ clock });
  let lists = 0;
  let failures = 3;
  const problems: string[] = [];
  const flaky: Pick<ResourceStore, 'range' | 'watch' | 'health'> = {
    health: () => store.health(),
    range: (query) => (lists++, store.range(query)),
    watch: (query) => {
      const watch = store.watch({ ...query, bufferedEventsMax: 4 });
      async function* cutting() {
        for await (const batch of watch) {
          if (batch.events.length > 0 && failures-- > 0) throw storeErrors.TAP_STORE_UNAVAILABLE({ message: 'cut' });
          yield batch;
        }
      }
      return { close: () => watch.close(), requestProgress: () => watch.requestProgress(), [Symbol.asyncIterator]: cutting };
    },
  };
  const cache = openWatchCache<Thing>({ ...basics, store: flaky, clock, onProblem: (problem) => problems.push(problem.message) });
  await cache.waitFor(0, signal);
  const watching = reported(cache.watch({ afterRevision: 0 }), 40);
  for (let step = 1; step <= 40; step++) {
    await put(store, `n${step}`);
    await clock.advance(150);
  }
  const revisions = (await watching).map((line) => Number.parseInt(line, 10));
  t.deepEqual(
    revisions,
    Array.from({ length: 40 }, (_, index) => index + 1),
  );
  t.deepEqual([problems, lists], [['cut', 'cut', 'cut'], 1]);
});

test('an object that cannot be decoded holds the cache up until it can, and is never left out', async (t) => {
  let broken = true;
  const problems: string[] = [];
  const { clock, store, cache } = await setUp({
    decode: async (value) => {
      if (broken && value.key.endsWith('b')) throw new Error('the key service is down');
      return decode(value);
    },
    onProblem: (problem) => problems.push(problem.message),
  });
  for (const name of ['a', 'b', 'c']) await put(store, name);
  await clock.advance(500);
  t.is(cache.get('/things/c'), undefined);
  t.is(problems[0], '/things/b at revision 2 cannot be decoded');
  broken = false;
  await clock.advance(1_000);
  await consistent(store, cache);
  t.is(names(cache.list({}).items), 'a b c');
});

test('a cache whose place in history was compacted away lists anew and ends its watches', async (t) => {
  const { clock, store } = await setUp();
  let held: Promise<void> | undefined;
  let release = () => {};
  const cache = openWatchCache<Thing>({
    ...basics,
    store,
    clock,
    decode: async (value) => {
      await held;
      return decode(value);
    },
  });
  await cache.waitFor(0, signal);
  const watching = reported(cache.watch({ afterRevision: 0 }), 99_999);
  held = new Promise((resolve) => (release = resolve));
  for (let step = 0; step < 10_100; step++) await put(store, `n${step % 3}`);
  await store.compact(10_100);
  release();
  await t.throwsAsync(watching, { code: 'TAP_STORE_COMPACTED' });
  await consistent(store, cache);
  t.deepEqual(
    cache.list({}).items.map(({ object }) => object.revision),
    [10_099, 10_100, 10_098],
  );
});

test('waiting ends with the caller, and with the cache', async (t) => {
  const { cache } = await setUp();
  const caller = new AbortController();
  const waiting = cache.waitFor(10, caller.signal);
  caller.abort(new Error('the caller left'));
  await t.throwsAsync(waiting, { message: 'the caller left' });
  const others = Array.from({ length: 10_000 }, () => t.throwsAsync(cache.waitFor(10, signal), { code: 'TAP_STORE_UNAVAILABLE' }));
  await t.throwsAsync(cache.waitFor(10, signal), { message: /10000 readers wait/ });
  const watch = reported(cache.watch({ afterRevision: 0 }), 5);
  await cache.close();
  await Promise.all(others);
  t.deepEqual(await watch, []);
  await t.throwsAsync(cache.waitFor(10, signal), { code: 'TAP_STORE_UNAVAILABLE' });
});

test('before the first list everything is gone rather than empty', async (t) => {
  const clock = new VirtualClock();
  const store = createMemoryStore({ clock });
  await put(store, 'a');
  const cache = openWatchCache<Thing>({ ...basics, store, clock });
  t.throws(() => cache.list({}), { code: 'TAP_STORE_COMPACTED' });
  await t.throwsAsync(reported(cache.watch({ afterRevision: 0 }), 1), { code: 'TAP_STORE_COMPACTED' });
  await cache.waitFor(1, signal);
  t.is(names(cache.list({}).items), 'a');
});

test('a cache opened later tells watches from before it was there what they have missed, as far as the store still has it', async (t) => {
  const { store, clock } = await setUp();
  for (const name of ['a', 'b', 'c', 'd']) await put(store, name);
  await remove(store, 'a');
  await put(store, 'b', 'x');
  await store.compact(2);
  const later = openWatchCache<Thing>({ store, clock, ...basics, pastRevisionsMax: 100 });
  await consistent(store, later);
  t.deepEqual(await reported(later.watch({ afterRevision: 2 }), 6), ['3 added c@3', '4 added d@4', '5 deleted a@5', '6 modified b@6']);
  await t.throwsAsync(reported(later.watch({ afterRevision: 1 }), 6), { code: 'TAP_STORE_COMPACTED' });
  t.is(names(later.list({}).items), 'b c d');
  const near = openWatchCache<Thing>({ store, clock, ...basics, pastRevisionsMax: 1 });
  await consistent(store, near);
  t.deepEqual(await reported(near.watch({ afterRevision: 5 }), 6), ['6 modified b@6']);
  await t.throwsAsync(reported(near.watch({ afterRevision: 4 }), 6), { code: 'TAP_STORE_COMPACTED' });
});
