import type { Clock } from '@tappaas/sdk';

/** Time that passes when a test says so, for a server whose sweep looks for what is overdue then. */
export function sweptClock(): { readonly clock: Clock; readonly passTo: (ms: number) => Promise<void> } {
  let laterMs = 0;
  const sweeps: (() => void)[] = [];
  const clock: Clock = {
    nowMs: () => 10_000_000 + laterMs,
    sleep: (_, signal) =>
      new Promise<void>((resolve, reject) => {
        sweeps.push(resolve);
        signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
      }),
  };
  return {
    clock,
    /** So long after the beginning. */
    passTo: async (ms) => {
      laterMs = ms;
      for (const wake of sweeps.splice(0)) wake();
      await new Promise(setImmediate);
    },
  };
}
