import type { Clock } from '@tappaas/sdk';

/** A sleep that ends earlier by the clock than it should is one during which the clock was set back, not a timer that was early. */
const setBackMsMin = 100;

const known = new WeakMap<Clock, Clock>();

/**
 * A clock for durations: limits, deadlines, pauses. It runs with the given clock, but when that one is set back (time synchronisation, a
 * resumed machine), it goes on from where it was; with the given clock itself nothing would be due for as long as it was set back.
 * What it says is no date: dates, and the ends of credentials and certificates, are read from the given clock.
 *
 * There is one for each clock, so that different parts can compare what they have read.
 */
export function steadyClock(clock: Clock): Clock {
  const made = known.get(clock) ?? madeFrom(clock);
  known.set(clock, made);
  return made;
}

function madeFrom(clock: Clock): Clock {
  let lastMs = clock.nowMs();
  let setBackMs = 0;
  const nowMs = (): number => {
    const readMs = clock.nowMs();
    if (readMs < lastMs) setBackMs += lastMs - readMs;
    lastMs = readMs;
    return readMs + setBackMs;
  };
  return Object.freeze({
    nowMs,
    async sleep(ms: number, signal: AbortSignal): Promise<void> {
      const dueMs = nowMs() + ms;
      await clock.sleep(ms, signal);
      const missingMs = dueMs - nowMs();
      if (missingMs >= setBackMsMin) setBackMs += missingMs;
    },
  });
}
