import type { Clock } from '@tappaas/sdk';

/** Waits for a promise, but no longer than `ms`. */
export async function within(clock: Pick<Clock, 'sleep'>, ms: number, something: Promise<unknown>): Promise<void> {
  const over = new AbortController();
  await Promise.race([something, clock.sleep(ms, over.signal).catch(() => {})]);
  over.abort();
}
