import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { openWatchCache } from '../../../core/dist/store/watch-cache.js';
import { openSqliteStore } from '../../../plugins/store-sqlite/dist/store.js';
import type { BenchmarkRow } from '../row.ts';
import { quantile, realClock } from './load.ts';

const prefix = '/registry/things/';
const watchers = 100;
const writesPerSecond = 1_000;

/** From the acknowledgement of a write to its delivery, through store, cache and feed, to every one of a hundred watchers. */
export async function delivery(smoke: boolean): Promise<readonly BenchmarkRow[]> {
  const directory = await mkdtemp(join(tmpdir(), 'tappaas-bench-'));
  const store = await openSqliteStore({ directory, clock: realClock });
  const encode = (bytes: Uint8Array) => bytes;
  const cache = openWatchCache({ store, clock: realClock, prefix, decode: ({ value }) => value, encode, restamp: encode, indexes: {} });
  await cache.waitFor(0, new AbortController().signal);
  const seconds = smoke ? 0.3 : 5;
  const writes = Math.round(seconds * writesPerSecond);
  const committedMs = new Map<number, number>();
  const delays: number[] = [];
  const reading = Array.from({ length: watchers }, async () => {
    for await (const { revision, events } of cache.watch({ afterRevision: 0, bufferedEventsMax: 10_000 })) {
      // A watcher may be told before the writer's own turn comes.
      for (const event of events) delays.push(performance.now() - (committedMs.get(event.revision) ?? performance.now()));
      if (revision >= writes) return;
    }
  });
  const writing: Promise<void>[] = [];
  const startMs = performance.now();
  for (let write = 0; write < writes; write++) {
    const waitMs = startMs + (write / writesPerSecond) * 1_000 - performance.now();
    if (waitMs > 0) await sleep(waitMs);
    const done = store.transact({ changes: [{ put: `${prefix}${write % 500}`, value: Buffer.alloc(1_024) }] });
    writing.push(done.then(({ revision }) => void committedMs.set(revision, committedMs.get(revision) ?? performance.now())));
  }
  await Promise.all([...writing, ...reading]);
  await cache.close();
  await store.close();
  await rm(directory, { recursive: true });
  delays.sort((a, b) => a - b);
  const name = `commit to delivery, ${writesPerSecond.toLocaleString('en')} writes/s to ${watchers} watchers, p99`;
  return [{ name, value: quantile(delays, 0.99), unit: 'ms', target: '< 20 ms' }];
}
