import { runPermit, type Undo } from './framework.js';
import type { PendingPod } from './pending-pods.js';
import { podName } from './pod-facts.js';
import { scheduleErrors } from './errors.js';
import type { BindOutcome, SchedulingTaps, StepRefusal } from './taps.js';
import { failCycle, forget, reportStep, reportPending, type Generation, type Workbench } from './workbench.js';

/** Result for a placed pod: bound, refused by a step, or an error. */
type Outcome = BindOutcome | { readonly refusal: StepRefusal } | { readonly error: unknown };

/**
 * Takes placed pods through permit, preBind, bind and postBind, many at a time, while others are placed.
 *
 * On any failure the pod no longer counts on the node and its reservations are undone, unless the cluster shows it there.
 */
export class Binding {
  readonly #bench: Workbench;
  readonly #settled: () => void;
  readonly #signal: AbortSignal;
  #inFlight = 0;

  constructor(bench: Workbench, settled: () => void, signal: AbortSignal) {
    this.#bench = bench;
    this.#settled = settled;
    this.#signal = signal;
  }

  get inFlight(): number {
    return this.#inFlight;
  }
  get full(): boolean {
    return this.#inFlight >= this.#bench.limits.bindsInFlightMax;
  }

  async start(pending: PendingPod, node: string, generation: Generation, undo: Undo | undefined): Promise<void> {
    this.#inFlight++;
    try {
      const outcome = await this.#tried(pending, node, generation);
      await this.#conclude(pending, node, generation, this.#isThere(pending, node) ? 'bound' : outcome, undo);
    } catch (cause) {
      reportStep(this.#bench, 'binding a pod', cause);
    } finally {
      this.#inFlight--;
      this.#settled();
    }
  }

  async #tried(pending: PendingPod, node: string, { taps }: Generation): Promise<Outcome> {
    const placement = { pod: pending.pod, node };
    const { clock, bind } = this.#bench.options;
    try {
      if (taps.permit) {
        pending.abort = new AbortController();
        const refusal = await runPermit(taps.permit, placement, clock, AbortSignal.any([this.#signal, pending.abort.signal]));
        if (refusal) return { refusal };
      }
      const refusal = await taps.preBind?.(placement);
      if (refusal) return { refusal };
      if (pending.dropped) return 'gone';
      return (await taps.bind?.(placement)) ?? (await bind(pending.pod, node));
    } catch (error) {
      return pending.dropped ? 'gone' : { error };
    }
  }

  /** Whether the cluster shows the pod on the node: the watch may be faster than the response, or the response may be lost. */
  #isThere(pending: PendingPod, node: string): boolean {
    const { ledger, table } = this.#bench.cluster;
    const charge = ledger.get(pending.uid);
    return charge !== undefined && !charge.assumed && table.nameOf(charge.slot) === node;
  }

  async #conclude(pending: PendingPod, node: string, { taps }: Generation, outcome: Outcome, undo: Undo | undefined): Promise<void> {
    const { options } = this.#bench;
    if (outcome === 'bound') {
      this.#bench.pending.remove(pending);
      const { namespace, name } = podName(pending.pod);
      options.emitEvent?.({
        pod: podName(pending.pod),
        type: 'Normal',
        reason: 'Scheduled',
        message: `assigned ${namespace}/${name} to ${node}`,
      });
      this.#postBind(pending, node, taps);
      return;
    }
    await undo?.();
    forget(this.#bench, pending);
    if (outcome === 'gone') this.#bench.pending.remove(pending);
    else if (outcome === 'conflict')
      failCycle(this.#bench, pending, `the cluster refused to bind the pod to node "${node}": it has changed meanwhile`);
    else if ('refusal' in outcome) this.#refused(pending, outcome.refusal);
    else this.#failed(pending, node, outcome.error);
  }

  #postBind(pending: PendingPod, node: string, { postBind }: SchedulingTaps): void {
    try {
      postBind?.({ pod: pending.pod, node });
    } catch (cause) {
      reportStep(this.#bench, 'postBind', cause);
    }
  }

  #refused(pending: PendingPod, { plugin, message }: StepRefusal): void {
    if (pending.dropped) return;
    reportPending(this.#bench, pending, 'Unschedulable', `plugin "${plugin}": ${message}`);
    this.#bench.pending.rest(pending, this.#bench.options.clock.nowMs());
  }

  #failed(pending: PendingPod, node: string, cause: unknown): void {
    if (pending.dropped || this.#signal.aborted) return;
    const { namespace, name } = podName(pending.pod);
    const message = `pod ${namespace}/${name} could not be bound to node "${node}"`;
    this.#bench.report({ error: scheduleErrors.TAP_SCHEDULE_BIND_FAILED({ message, cause }) });
    failCycle(this.#bench, pending, message);
  }
}
