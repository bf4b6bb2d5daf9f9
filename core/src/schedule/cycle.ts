import { isTapError } from '@tappaas/sdk';
import type { Binding } from './binding.js';
import { refusalText, type Decision } from './decision.js';
import { undoOf } from './framework.js';
import type { PendingPod } from './pending-pods.js';
import type { Place } from './placement-engine.js';
import type { SchedulingTaps, Step, StepRefusal } from './taps.js';
import { podName } from './pod-facts.js';
import type { RoomMaker } from './room-maker.js';
import { scheduleErrors } from './errors.js';
import { failCycle, forget, record, reportStep, reportPending, undecided, type Generation, type Workbench } from './workbench.js';

/**
 * Places one pod: preFilter, filter, postFilter, score, reserve; then passes it to the {@link Binding}.
 *
 * Choosing a node and charging it happen in one synchronous step, so nothing can interfere. Without asynchronous taps the whole cycle is
 * synchronous.
 */
export class Cycle {
  readonly #bench: Workbench;
  readonly #binding: Binding;
  readonly #rooms: RoomMaker;

  constructor(bench: Workbench, binding: Binding, rooms: RoomMaker) {
    this.#bench = bench;
    this.#binding = binding;
    this.#rooms = rooms;
  }

  /** Runs the cycle; returns undefined if it finished synchronously, otherwise a promise. */
  run(pending: PendingPod, generation: Generation): Promise<void> | undefined {
    const since = this.#bench.pending.events;
    if (pending.cls.impossible !== undefined) return this.#impossible(pending, pending.cls.impossible);
    const { preFilter } = generation.taps;
    return preFilter ? this.#preFiltered(preFilter, pending, generation, since) : this.#place(pending, generation, since);
  }

  #impossible(pending: PendingPod, message: string): undefined {
    record(this.#bench, undecided(this.#bench, pending, 'unschedulable', message));
    reportPending(this.#bench, pending, 'Unschedulable', message);
    this.#bench.pending.park(pending, [], this.#bench.pending.events, this.#nowMs());
  }

  async #preFiltered(preFilter: Step, pending: PendingPod, generation: Generation, since: number): Promise<void> {
    let refusal: StepRefusal | undefined;
    try {
      refusal = await preFilter({ pod: pending.pod });
    } catch (cause) {
      this.#rooms.release(pending);
      this.#stepFailed(pending, 'preFilter', cause);
      return;
    }
    if (pending.dropped) return;
    if (refusal === undefined) {
      await this.#place(pending, generation, since);
      return;
    }
    this.#rooms.release(pending);
    const message = `plugin "${refusal.plugin}": ${refusal.message}`;
    record(this.#bench, undecided(this.#bench, pending, 'unschedulable', message));
    reportPending(this.#bench, pending, 'Unschedulable', message);
    this.#bench.pending.rest(pending, this.#nowMs());
  }

  #place(pending: PendingPod, generation: Generation, since: number): Promise<void> | undefined {
    this.#rooms.withdraw(pending);
    const place = generation.engine.place(pending.cls);
    if (place.slot < 0) return this.#nowhere(pending, generation, place, since);
    this.#rooms.abandon(pending);
    const node = this.#bench.cluster.table.nameOf(place.slot);
    this.#bench.cluster.ledger.charge(pending.pod, node, pending.cls, true, place.footprint);
    record(this.#bench, this.#decision(pending, place));
    const { reserve } = generation.taps;
    if (reserve) return this.#reserve(reserve, pending, node, generation);
    void this.#binding.start(pending, node, generation, undefined);
    return undefined;
  }

  async #reserve(
    reserve: NonNullable<SchedulingTaps['reserve']>,
    pending: PendingPod,
    node: string,
    generation: Generation,
  ): Promise<void> {
    try {
      const reserved = await reserve({ pod: pending.pod, node });
      const undo = undoOf(reserved, (plugin, cause) => reportStep(this.#bench, `undoing the reserve of plugin "${plugin}"`, cause));
      if (reserved.failure === undefined) {
        void this.#binding.start(pending, node, generation, undo);
        return;
      }
      await undo();
      throw reserved.failure;
    } catch (cause) {
      forget(this.#bench, pending);
      this.#stepFailed(pending, 'reserve', cause);
    }
  }

  #nowhere(pending: PendingPod, generation: Generation, place: Place, since: number): Promise<void> | undefined {
    if (this.#rooms.keep(pending)) {
      this.#bench.pending.park(pending, place.retryOn, since, this.#nowMs());
      return undefined;
    }
    const decision = this.#decision(pending, place);
    if (!this.#rooms.worthwhile(pending, generation)) return this.#park(pending, decision, since);
    return this.#rooms.make(pending, generation).then((evicting) => {
      if (pending.dropped) return;
      this.#park(pending, evicting ? { ...decision, evicting } : decision, since);
    });
  }

  #park(pending: PendingPod, decision: Decision, since: number): undefined {
    const { limits, sinceMs } = this.#bench;
    const nowMs = this.#nowMs();
    const reportedMs = decision.nodes === 0 ? sinceMs + limits.firstNodeMsMax : 0;
    record(this.#bench, decision);
    if (nowMs >= reportedMs) reportPending(this.#bench, pending, 'Unschedulable', decision.message ?? '');
    this.#bench.pending.park(pending, decision.retryOn, since, nowMs, nowMs < reportedMs ? reportedMs : undefined);
  }

  #decision(pending: PendingPod, place: Place): Decision {
    const { nodes } = this.#bench.cluster.table;
    const { feasibleNodes, refused, retryOn, chosen, next } = place;
    return {
      pod: podName(pending.pod),
      atMs: this.#nowMs(),
      attempt: pending.attempts + 1,
      outcome: place.slot < 0 ? 'unschedulable' : 'placed',
      nodes,
      feasibleNodes,
      refused,
      chosen,
      next,
      message: place.slot < 0 ? refusalText(nodes, refused) : undefined,
      retryOn,
    };
  }

  /** Handles an unexpected error, usually of a filter: only this pod's attempt fails. */
  failed(pending: PendingPod, cause: unknown): void {
    this.#rooms.release(pending);
    forget(this.#bench, pending);
    const error = isTapError(cause)
      ? cause
      : scheduleErrors.TAP_SCHEDULE_STEP_FAILED({
          message: `placing pod ${pending.pod.metadata.namespace}/${pending.pod.metadata.name} failed`,
          cause,
        });
    const { plugin } = error.data;
    this.#bench.report(typeof plugin === 'string' ? { error, plugin } : { error });
    failCycle(this.#bench, pending, error.message);
  }

  #stepFailed(pending: PendingPod, step: string, cause: unknown): void {
    reportStep(this.#bench, step, cause);
    failCycle(this.#bench, pending, `the ${step} step failed`);
  }

  #nowMs(): number {
    return this.#bench.options.clock.nowMs();
  }
}
