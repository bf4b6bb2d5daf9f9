import type { Clock } from '@tappaas/sdk';

/** A sleep that ends this much too early by the clock means that the clock was set back, not that the timer fired early. */
const setBackMsMin = 100;

const known = new WeakMap<Clock, Clock>();

/**
 * Returns a clock for durations: limits, deadlines, pauses. It follows the given clock, but when that is set back (time synchronization, a
 * resumed machine), it continues from its last value; with the given clock nothing would be due for as long as it was set back. Its values
 * are not dates: dates, and the expiry of credentials and certificates, are read from the given clock.
 *
 * There is one per clock, so that different components can compare its values.
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
