import type { Clock } from '@tappaas/sdk';

/** What a load of writers achieved. */
export interface Load {
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

export const realClock: Clock = {
  nowMs: () => Date.now(),
  sleep: (ms, signal) =>
    new Promise((resolve, reject) => {
      const timer = setTimeout(resolve, ms);
      signal.addEventListener('abort', () => {
        clearTimeout(timer);
        reject(signal.reason as Error);
      });
    }),
};

/** Writers that each wait for their last write before the next; counts what ends within the time, after a tenth of it to warm up. */
export async function runWriters(
  writers: number,
  durationMs: number,
  write: (writer: number, round: number) => Promise<unknown>,
): Promise<Load> {
  const latencies: number[] = [];
  const startMs = performance.now() + durationMs / 10;
  const endMs = startMs + durationMs;
  const writer = async (name: number) => {
    for (let round = 0; ; round++) {
      const atMs = performance.now();
      if (atMs >= endMs) return;
      await write(name, round);
      const nowMs = performance.now();
      if (atMs >= startMs && nowMs <= endMs) latencies.push(nowMs - atMs);
    }
  };
  await Promise.all(Array.from({ length: writers }, (_, name) => writer(name)));
  latencies.sort((a, b) => a - b);
  return { perSecond: (latencies.length / durationMs) * 1_000, p50Ms: quantile(latencies, 0.5), p99Ms: quantile(latencies, 0.99) };
}

/** Of sorted values. */
export function quantile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
}
