import { setImmediate as turn } from 'node:timers/promises';
import type { Clock } from '@tappaas/sdk';

/** A visit takes 10 to 20 µs, so that a turn takes a millisecond or two. */
export const visitsPerTurn = 100;

export interface Sweep {
  readonly clock: Pick<Clock, 'sleep'>;
  /** Between the end of one sweep and the beginning of the next. */
  readonly everyMs: number;
  readonly signal: AbortSignal;
}

/**
 * Visits everything, again and again, until the signal aborts; `begin` gives the visitor of one sweep. Others get their turn of the event
 * loop in between: with 10,000 connections a sweep in one go would hold up every request for a tenth of a second and more.
 */
export async function sweepEvery<T>(
  entries: Iterable<T> & { readonly size: number },
  begin: () => (entry: T) => void,
  { clock, everyMs, signal }: Sweep,
): Promise<void> {
  while (!signal.aborted) {
    const visit = begin();
    const { size } = entries;
    let visited = 0;
    for (const entry of entries) {
      visit(entry);
      visited += 1;
      if (visited % visitsPerTurn === 0) await turn();
      if (signal.aborted) return;
      // What has come since has its time with the next sweep: otherwise a busy server would never end this one.
      if (visited >= size) break;
    }
    await clock.sleep(everyMs, signal).catch(() => {});
  }
}
