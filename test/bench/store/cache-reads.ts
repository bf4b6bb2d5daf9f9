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
  const sizes = smoke ? [100, 1_000] : [100, 1_000, 10_000];
  const figures: { get: number; query: number; page: number }[] = [];
  for (const size of sizes) figures.push(measure(await filledCache(size), size, smoke ? 2_000 : 50_000));
  const [small, large] = [figures[0], figures.at(-1)];
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

/** Nanoseconds of one call each; the key is put together anew as a request does. */
function measure(cache: WatchCache<Thing>, size: number, rounds: number): { get: number; query: number; page: number } {
  const groups = Math.max(1, Math.floor(size / 20));
  return {
    get: bestOf(rounds * 10, (round) => cache.get(keyOf(round % size))),
    query: bestOf(rounds, (round) => cache.list({ where: [{ index: 'label', values: [`group=${round % groups}`] }] })),
    page: bestOf(rounds, () => cache.list({ itemsMax: 50 })),
  };
}

function bestOf(rounds: number, call: (round: number) => unknown): number {
  let bestNs = Infinity;
  for (let attempt = 0; attempt < 3; attempt++) {
    const startMs = performance.now();
    for (let round = 0; round < rounds; round++) call(round);
    bestNs = Math.min(bestNs, ((performance.now() - startMs) * 1e6) / rounds);
  }
  return bestNs;
}
