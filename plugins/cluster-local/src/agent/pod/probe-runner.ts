import type { Clock, Immutable, Probe } from '@tappaas/sdk';
import type { Finding } from './probe-check.js';

/** One probe of one running container. */
export interface ProbeRun {
  readonly probe: Immutable<Probe>;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly ask: () => Promise<Finding>;
  /** Told when enough answers in a row agree, and again at every later answer that fails. */
  readonly onVerdict: (healthy: boolean, message: string) => void;
  /** Stops at the first verdict; a startup probe is over once it has succeeded. */
  readonly once: boolean;
}

/** Asks again and again until aborted; a verdict changes only after as many equal answers in a row as the probe's thresholds say. */
export async function runProbe({ probe, clock, signal, ask, onVerdict, once }: ProbeRun): Promise<void> {
  let successes = 0;
  let failures = 0;
  if (!(await rest(clock, (probe.initialDelaySeconds ?? 0) * 1000, signal))) return;
  while (!signal.aborted) {
    const { healthy, message } = await ask();
    if (signal.aborted) return;
    successes = healthy ? successes + 1 : 0;
    failures = healthy ? 0 : failures + 1;
    if (successes >= (probe.successThreshold ?? 1)) {
      onVerdict(true, message);
      if (once) return;
    } else if (failures >= (probe.failureThreshold ?? 3)) onVerdict(false, message);
    if (!(await rest(clock, (probe.periodSeconds ?? 10) * 1000, signal))) return;
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
