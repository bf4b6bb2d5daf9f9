import type { Clock } from '@tappaas/sdk';

/** Node turns longer delays into 1 ms; nothing here waits that long in one go without noticing. */
const sleepMsMax = 2 ** 31 - 1;

/** The machine's clock. Most sleeps are deadlines that are not reached: one that is ended early makes no error with a stack of its own. */
export const systemClock: Clock = Object.freeze({
  nowMs: () => Date.now(),
  sleep: (ms: number, signal: AbortSignal) =>
    new Promise<void>((resolve, reject) => {
      if (signal.aborted) return reject(signal.reason as Error);
      const ended = (): void => {
        clearTimeout(timer);
        reject(signal.reason as Error);
      };
      const timer = setTimeout(
        () => {
          signal.removeEventListener('abort', ended);
          resolve();
        },
        Math.min(ms, sleepMsMax),
      );
      signal.addEventListener('abort', ended, { once: true });
    }),
});
