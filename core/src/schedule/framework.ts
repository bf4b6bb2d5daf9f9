import type { Clock, Placement } from '@tappaas/sdk';
import type { Reserved, Step, StepRefusal } from './taps.js';

const permitMsMax = 15 * 60_000;

/** Undoes what was reserved. Never throws. */
export type Undo = () => Promise<void>;

/** Asks the permit step until it lets the pod go on or refuses it, for 15 minutes in all. Throws what the step throws, and when aborted. */
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

/** One undo for everything reserved: in reverse order, and going on when one of them fails. */
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
