import type { Clock, Immutable, Probe } from '@tappaas/sdk';
import type { Finding } from './probe-check.js';

/** One probe of one running container. */
export interface ProbeRun {
  readonly probe: Immutable<Probe>;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly ask: () => Promise<Finding>;
  /** Told when enough answers in a row agree, and again at every later one that fails. */
  readonly onVerdict: (healthy: boolean, message: string) => void;
  /** Stops at the first success; a startup probe is over then. */
  readonly once: boolean;
}

/** First pause between questions to a container that has never been healthy; grows up to the probe's period, milliseconds. */
const eagerMs = 25;

/**
 * Asks again and again until aborted; a verdict changes only after as many equal answers in a row as the probe's thresholds say.
 *
 * Until the first success it asks more often than the period says, so that a process that is up in 200 ms is ready after 200 ms.
 * Failures of these extra questions do not count.
 */
export async function runProbe({ probe, clock, signal, ask, onVerdict, once }: ProbeRun): Promise<void> {
  const periodMs = (probe.periodSeconds ?? 10) * 1000;
  let successes = 0;
  let failures = 0;
  let pauseMs = eagerMs;
  if (!(await rest(clock, (probe.initialDelaySeconds ?? 0) * 1000, signal))) return;
  let countsAtMs = clock.nowMs();
  while (!signal.aborted) {
    const isCounted = clock.nowMs() >= countsAtMs;
    const { healthy, message } = await ask();
    if (signal.aborted) return;
    if (isCounted) countsAtMs = clock.nowMs() + periodMs;
    if (healthy) {
      pauseMs = periodMs;
      successes += 1;
      failures = 0;
    } else {
      successes = 0;
      failures += isCounted ? 1 : 0;
    }
    if (healthy && successes >= (probe.successThreshold ?? 1)) {
      onVerdict(true, message);
      if (once) return;
    } else if (!healthy && isCounted && failures >= (probe.failureThreshold ?? 3)) onVerdict(false, message);
    if (!(await rest(clock, Math.min(pauseMs, periodMs), signal))) return;
    pauseMs = Math.min(pauseMs * 1.4, periodMs);
  }
}

/** Says whether the time passed without an abort. */
async function rest(clock: Clock, ms: number, signal: AbortSignal): Promise<boolean> {
  if (signal.aborted) return false;
  if (ms <= 0) return true;
  return clock.sleep(ms, signal).then(
    () => true,
    () => false,
  );
}
