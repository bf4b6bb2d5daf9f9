import type { Clock, Placement } from '@tappaas/sdk';
import type { Reserved, Step, StepRefusal } from './taps.js';

const permitMsMax = 15 * 60_000;

/** Undoes a reservation. Never throws. */
export type Undo = () => Promise<void>;

/** Calls the permit step until it admits or refuses the pod, for at most 15 minutes. Throws what the step throws, and when aborted. */
export async function runPermit(permit: Step, placement: Placement, clock: Clock, signal: AbortSignal): Promise<StepRefusal | undefined> {
  const untilMs = clock.nowMs() + permitMsMax;
  for (;;) {
    const refusal = await permit(placement);
    if (refusal?.waitMs === undefined) return refusal;
    const leftMs = untilMs - clock.nowMs();
    if (leftMs <= 0) return { plugin: refusal.plugin, message: 'did not permit the pod within 15 minutes' };
    await clock.sleep(Math.min(refusal.waitMs, leftMs), signal);
  }
}

/** Combines all undo functions: runs them in reverse order, and continues when one fails. */
export function undoOf({ undos }: Reserved, failed: (plugin: string, cause: unknown) => void): Undo {
  return async () => {
    for (const { plugin, undo } of undos.toReversed()) {
      try {
        await undo();
      } catch (cause) {
        failed(plugin, cause);
      }
    }
  };
}
