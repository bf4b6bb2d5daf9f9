import type { VirtualClock } from './virtual-clock.js';

/** Real time before the virtual clock begins to advance. */
const graceMs = 1_000;
const stepMs = 20;

/**
 * Waits for work whose time limits are on the virtual clock. Usually the work finishes at once and the clock stands still. After a second
 * of real time the clock advances at the speed of real time, so that work that hangs reaches its limits.
 */
export async function awaitOrAdvance<T>(clock: VirtualClock, work: Promise<T>): Promise<T> {
  let ticking: NodeJS.Timeout | undefined;
  const waiting = setTimeout(() => {
    ticking = setInterval(() => void clock.advance(stepMs), stepMs);
  }, graceMs);
  try {
    return await work;
  } finally {
    clearTimeout(waiting);
    clearInterval(ticking);
  }
}
