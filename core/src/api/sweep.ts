import { setImmediate as turn } from 'node:timers/promises';
import type { Clock } from '@tappaas/sdk';

/** A visit takes 10 to 20 µs, so this many take a millisecond or two. */
export const visitsPerTurn = 100;

export interface Sweep {
  readonly clock: Pick<Clock, 'sleep'>;
  /** Pause between the end of one sweep and the start of the next. */
  readonly everyMs: number;
  readonly signal: AbortSignal;
}

/**
 * Visits all entries repeatedly until the signal aborts; `begin` returns the visitor of one sweep. Yields to the event loop in between:
 * with 10,000 connections, an uninterrupted sweep would delay every request by over a tenth of a second.
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
      // Entries added meanwhile wait for the next sweep; otherwise a sweep of a busy server would never end.
      if (visited >= size) break;
    }
    await clock.sleep(everyMs, signal).catch(() => {});
  }
}
