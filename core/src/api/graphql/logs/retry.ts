import { type Clock, isTapError } from '@tappaas/sdk';
import { isConnectionBroken } from '../../watch/broken-off.js';

const firstWaitMs = 250;
const waitMsMax = 30_000;
/** Errors of history: retried, because a new watch starts with the present objects and needs no history. */
const passing: ReadonlySet<string> = new Set(['TAP_STORE_COMPACTED', 'TAP_STORE_SLOW_CONSUMER']);

/** Whether a retry may succeed: the cluster or its agent does not answer at present, or the connection broke. */
export function isPassing(error: unknown): boolean {
  return isTapError(error) ? error.spec.retry === 'back-off' || passing.has(error.code) : isConnectionBroken(error);
}

/** Waits before the next attempt: twice as long after each failure in a row, at most 30 s, or until the signal aborts. */
export async function untilNextTry(failures: number, clock: Clock, signal: AbortSignal): Promise<void> {
  await clock.sleep(Math.min(waitMsMax, firstWaitMs * 2 ** Math.min(failures, 10)), signal).catch(() => {});
}
