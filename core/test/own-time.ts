/** How long something takes on a machine that is busy with something else, too. */
import { readFileSync } from 'node:fs';

/**
 * Milliseconds that go by until the work is done, without those in which this thread stood in line for a processor. What the work computes
 * and what it waits for counts; that others use the machine as well is no fault of it.
 */
export async function ownMs(work: () => unknown): Promise<number> {
  const [startMs, waitedMs] = [performance.now(), inLineMs()];
  await work();
  return performance.now() - startMs - (inLineMs() - waitedMs);
}

/** How long this thread has stood in line so far; Linux says it, as the second number. */
function inLineMs(): number {
  try {
    return Number(readFileSync('/proc/thread-self/schedstat', 'latin1').split(' ')[1]) / 1e6 || 0;
  } catch {
    return 0;
  }
}
