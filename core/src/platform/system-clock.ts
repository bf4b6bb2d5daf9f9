import type { Clock } from '@tappaas/sdk';

/** Node turns longer delays into 1 ms; sleeps are capped instead. */
const sleepMsMax = 2 ** 31 - 1;

/**
 * The system clock. Most sleeps are deadlines that end early, so an aborted sleep rejects with the signal's reason instead of a new error
 * with a stack.
 */
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
