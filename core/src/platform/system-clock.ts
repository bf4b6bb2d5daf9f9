import { setTimeout as sleep } from 'node:timers/promises';
import type { Clock } from '@tappaas/sdk';

/** The machine's clock. */
export const systemClock: Clock = Object.freeze({
  nowMs: () => Date.now(),
  sleep: async (ms: number, signal: AbortSignal) => {
    // Node turns longer delays into 1 ms; nothing here waits that long in one go without noticing.
    await sleep(Math.min(ms, 2 ** 31 - 1), undefined, { signal });
  },
});
