import { createWorkQueue, type WorkQueueOptions } from '../../core/dist/queue/work-queue.js';
import type { BenchmarkRow } from './row.ts';

const keys = Array.from({ length: 10_000 }, (_, n) => `tenant-${n % 100}/application-${n}`);

function makeQueue(options: Partial<WorkQueueOptions<string>>) {
  return createWorkQueue<string>({
    clock: { nowMs: () => Date.now(), sleep: () => Promise.resolve() },
    random: Math.random,
    backoff: { baseMs: 5, maxMs: 60_000, jitter: 0.5 },
    ...options,
  });
}

/** add + get + done of `rounds` times 10,000 keys by one awaiting worker, per second. */
async function operationsPerSecond(rounds: number, options: Partial<WorkQueueOptions<string>>): Promise<number> {
  const queue = makeQueue(options);
  const startMs = performance.now();
  for (let round = 0; round < rounds; round += 1) {
    for (const key of keys) queue.add(key);
    for (let n = 0; n < keys.length; n += 1) queue.done((await queue.get()) ?? '');
  }
  return (rounds * keys.length * 1_000) / (performance.now() - startMs);
}

async function best(rounds: number, options: Partial<WorkQueueOptions<string>>): Promise<number> {
  let best = 0;
  for (let attempt = 0; attempt < 3; attempt += 1) best = Math.max(best, await operationsPerSecond(rounds, options));
  return Math.round(best);
}

/** Throughput of the work queue on one thread. */
export async function run(options: { smoke: boolean }): Promise<BenchmarkRow[]> {
  const rounds = options.smoke ? 5 : 100;
  const tenantOf = (key: string): string => key.slice(0, key.indexOf('/'));
  let told = 0;
  const observer = { latencyMs: (ms: number) => void (told += ms), depth: (items: number) => void (told += items) };
  return [
    { name: 'queue: add+get+done, 10,000 keys', value: await best(rounds, {}), unit: '1/s', target: '≥ 1,000,000' },
    {
      name: 'queue: the same, 100 tenants, with metrics',
      value: await best(rounds, { tenantOf, observer }),
      unit: '1/s',
      target: '≥ 1,000,000',
    },
  ];
}
