import type { VirtualClock } from './virtual-clock.js';

/** Real time that is given before the clock begins to move. */
const patienceMs = 1_000;
const stepMs = 20;

/**
 * Waits for work whose limits are on the virtual clock. Usually it is done at once and no time passes; work that takes longer than a
 * second meets its limits, because from then on the clock goes as fast as real time.
 */
export async function patiently<T>(clock: VirtualClock, work: Promise<T>): Promise<T> {
  let ticking: NodeJS.Timeout | undefined;
  const waiting = setTimeout(() => {
    ticking = setInterval(() => void clock.advance(stepMs), stepMs);
  }, patienceMs);
  try {
    return await work;
  } finally {
    clearTimeout(waiting);
    clearInterval(ticking);
  }
}
