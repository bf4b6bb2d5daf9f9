import type { Clock, Immutable, Probe } from '@tappaas/sdk';
import type { Finding } from './probe-check.js';

/** One probe of one running container. */
export interface ProbeRun {
  readonly probe: Immutable<Probe>;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly check: () => Promise<Finding>;
  /** Called whenever the success or failure threshold is reached, and for each further result of the same kind in a row. */
  readonly onVerdict: (healthy: boolean, message: string) => void;
  /** Whether to stop at the first success, as for startup probes. */
  readonly once: boolean;
}

/** First delay between extra probes before the first success, milliseconds; it grows up to the probe's period. */
const eagerMs = 25;

/**
 * Probes repeatedly until aborted; a verdict needs as many equal results in a row as the probe's thresholds say.
 *
 * Until the first success it probes more often than the period says, so that a process that is up after 200 ms is ready after 200 ms.
 * Failures of these extra probes do not count.
 */
export async function runProbe({ probe, clock, signal, check, onVerdict, once }: ProbeRun): Promise<void> {
  const periodMs = (probe.periodSeconds ?? 10) * 1000;
  let successes = 0;
  let failures = 0;
  let pauseMs = eagerMs;
  if (!(await rest(clock, (probe.initialDelaySeconds ?? 0) * 1000, signal))) return;
  let countsAtMs = clock.nowMs();
  while (!signal.aborted) {
    const isCounted = clock.nowMs() >= countsAtMs;
    const { healthy, message } = await check();
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

/** Waits; returns false if aborted. */
async function rest(clock: Clock, ms: number, signal: AbortSignal): Promise<boolean> {
  if (signal.aborted) return false;
  if (ms <= 0) return true;
  return clock.sleep(ms, signal).then(
    () => true,
    () => false,
  );
}
