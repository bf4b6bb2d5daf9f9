import { type Clock, isTapError } from '@tappaas/sdk';
import { isConnectionBroken } from '../../watch/broken-off.js';

const firstWaitMs = 250;
const waitMsMax = 30_000;
/** A watch that is begun anew with everything that there is needs no history. */
const passing: ReadonlySet<string> = new Set(['TAP_STORE_COMPACTED', 'TAP_STORE_SLOW_CONSUMER']);

/** Whether what failed may succeed later: its cluster or agent does not answer now, or the connection broke. */
export function isPassing(error: unknown): boolean {
  return isTapError(error) ? error.spec.retry === 'back-off' || passing.has(error.code) : isConnectionBroken(error);
}

/** Waits longer after each failure in a row, until the signal aborts. */
export async function untilNextTry(failures: number, clock: Clock, signal: AbortSignal): Promise<void> {
  await clock.sleep(Math.min(waitMsMax, firstWaitMs * 2 ** Math.min(failures, 10)), signal).catch(() => {});
}
