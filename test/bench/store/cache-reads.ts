import type { KeyValue } from '@tappaas/sdk';
import { createMemoryStore } from '../../../core/dist/store/memory-store.js';
import { openWatchCache, type WatchCache } from '../../../core/dist/store/watch-cache.js';
import type { BenchmarkRow } from '../row.ts';
import { realClock } from './load.ts';

interface Thing {
  readonly name: string;
  readonly labels: readonly string[];
}

const prefix = '/registry/apps.tappaas.dev/applications/';
const signal = new AbortController().signal;

/** Reads of the watch cache: their cost must follow what they return, not what is stored. */
export async function cacheReads(smoke: boolean): Promise<readonly BenchmarkRow[]> {
  const sizes = smoke ? [100, 1_000] : [100, 10_000];
  const caches = await Promise.all(sizes.map(filledCache));
  const figures = sizes.map(() => ({ get: Infinity, query: Infinity, page: Infinity }));
  // The sizes take turns and the best of each counts: a neighbour on the machine must not decide.
  for (let attempt = 0; attempt < (smoke ? 1 : 8); attempt++) {
    for (const [index, cache] of caches.entries()) keepBest(figures[index], measure(cache, sizes[index] ?? 0, smoke ? 500 : 10_000));
  }
  const [small, large] = figures;
  if (small === undefined || large === undefined) return [];
  const [first, last] = [sizes[0], sizes.at(-1)?.toLocaleString('en')];
  return [
    { name: `get from the watch cache, ${last} objects`, value: large.get, unit: 'ns', target: '≈ 300 ns' },
    {
      name: `label query that finds 20 of ${last}`,
      value: large.query / 1_000,
      unit: 'µs',
      peer: `of ${first}`,
      ratio: large.query / small.query,
      target: '≤ 1.5×',
    },
    {
      name: `first page of 50 of ${last}`,
      value: large.page / 1_000,
      unit: 'µs',
      peer: `of ${first}`,
      ratio: large.page / small.page,
      target: '≤ 1.5×',
    },
  ];
}

async function filledCache(size: number): Promise<WatchCache<Thing>> {
  const store = createMemoryStore({ clock: realClock });
  for (let index = 0; index < size; index++) {
    const labels = ['all', `group=${Math.floor(index / 20)}`];
    await store.transact({ changes: [{ put: keyOf(index), value: Buffer.from(JSON.stringify({ name: `shop-${index}`, labels })) }] });
  }
  const cache = openWatchCache<Thing>({
    store,
    clock: realClock,
    prefix,
    decode: ({ value }: KeyValue) => JSON.parse(Buffer.from(value).toString()) as Thing,
    encode: (thing) => Buffer.from(JSON.stringify(thing)),
    restamp: (thing) => thing,
    indexes: { label: ({ labels }) => labels },
  });
  await cache.waitFor(size, signal);
  return cache;
}

function keyOf(index: number): string {
  return `${prefix}team-${index % 10}/shop-${index}`;
}

interface Figures {
  get: number;
  query: number;
  page: number;
}

function keepBest(best: Figures | undefined, now: Figures): void {
  if (best === undefined) return;
  best.get = Math.min(best.get, now.get);
  best.query = Math.min(best.query, now.query);
  best.page = Math.min(best.page, now.page);
}

/** Nanoseconds of one call each; the key is put together anew as a request does. */
function measure(cache: WatchCache<Thing>, size: number, rounds: number): Figures {
  const groups = Math.max(1, Math.floor(size / 20));
  return {
    get: callNs(rounds * 10, (round) => cache.get(keyOf(round % size))),
    query: callNs(rounds, (round) => cache.list({ where: [{ index: 'label', values: [`group=${round % groups}`] }] })),
    page: callNs(rounds, () => cache.list({ itemsMax: 50 })),
  };
}

function callNs(rounds: number, call: (round: number) => unknown): number {
  const startMs = performance.now();
  for (let round = 0; round < rounds; round++) call(round);
  return ((performance.now() - startMs) * 1e6) / rounds;
}
