import type { Clock, Immutable, Placement, Pod } from '@tappaas/sdk';
import type { BindOutcome, BindTap, ReserveTap, SchedulingTaps, StepTap } from './taps.js';

const permitMsMax = 15 * 60_000;

/** A plugin refused the pod at a step. */
export interface StepRefusal {
  readonly plugin: string;
  readonly message: string;
  /** Ask again then. */
  readonly waitMs?: number;
}

export type Undo = () => Promise<void>;

/** Asks the taps of a step in order; answers the first refusal. A wait counts as one. Throws what a tap throws. */
export async function runSteps(taps: readonly StepTap[], placement: Placement): Promise<StepRefusal | undefined> {
  for (const { plugin, run } of taps) {
    const verdict = await run(placement);
    if (!verdict) continue;
    if ('reject' in verdict) return { plugin, message: verdict.reject };
    return { plugin, message: `asked to wait ${verdict.waitMs} ms`, waitMs: verdict.waitMs };
  }
  return undefined;
}

/** Asks each permit tap until it lets the pod go on or refuses it, for 15 minutes in all. Throws what a tap throws, and when aborted. */
export async function runPermit(
  taps: readonly StepTap[],
  placement: Placement,
  clock: Clock,
  signal: AbortSignal,
): Promise<StepRefusal | undefined> {
  const untilMs = clock.nowMs() + permitMsMax;
  for (const tap of taps) {
    for (;;) {
      const refusal = await runSteps([tap], placement);
      if (refusal === undefined) break;
      if (refusal.waitMs === undefined) return refusal;
      const leftMs = untilMs - clock.nowMs();
      if (leftMs <= 0) return { plugin: tap.plugin, message: 'did not permit the pod within 15 minutes' };
      await clock.sleep(Math.min(refusal.waitMs, leftMs), signal);
    }
  }
  return undefined;
}

/**
 * Reserves in order; answers one undo for everything reserved, which runs in reverse and goes on when one of them fails.
 *
 * When a tap fails, what was reserved before is undone before its error is thrown.
 */
export async function runReserve(
  taps: readonly ReserveTap[],
  placement: Placement,
  failed: (plugin: string, cause: unknown) => void,
): Promise<Undo> {
  const undos: { readonly plugin: string; readonly undo: () => Promise<void> | void }[] = [];
  const undoAll = async () => {
    for (const { plugin, undo } of undos.splice(0).reverse()) {
      try {
        await undo();
      } catch (cause) {
        failed(plugin, cause);
      }
    }
  };
  for (const { plugin, run } of taps) {
    try {
      const undo = await run(placement);
      if (undo) undos.push({ plugin, undo });
    } catch (error) {
      await undoAll();
      throw error;
    }
  }
  return undoAll;
}

/** The first tap that answers has bound the pod; when none does, `bindDefault` does it. Throws what the binder throws. */
export async function runBind(
  taps: readonly BindTap[],
  placement: Required<Placement>,
  bindDefault: (pod: Immutable<Pod>, node: string) => Promise<BindOutcome>,
): Promise<BindOutcome> {
  for (const { run } of taps) {
    const outcome = await run(placement);
    if (outcome !== undefined) return outcome;
  }
  return bindDefault(placement.pod, placement.node);
}

/** Tells everyone that the pod was bound; nobody can change that any more. */
export function runPostBind(
  { postBind }: SchedulingTaps,
  placement: Required<Placement>,
  failed: (plugin: string, cause: unknown) => void,
): void {
  for (const { plugin, run } of postBind) {
    try {
      run(placement);
    } catch (cause) {
      failed(plugin, cause);
    }
  }
}
