import { isTapError, type Immutable, type Pod } from '@tappaas/sdk';
import { scheduleErrors } from './errors.js';
import type { PendingPod } from './pending-pods.js';
import type { PodClasses, SchedulingClass } from './pod-class.js';
import { hasEnded, isGated, podName } from './pod-facts.js';
import type { Step } from './taps.js';
import { record, reportStep, reportPending, type Generation, type Workbench } from './workbench.js';

const defaultSchedulerName = 'tappaas';

/** Processes the watch of pods: which pods count on which node, which need one, and which may be tried (preEnqueue). */
export class Intake {
  readonly #bench: Workbench;
  readonly #classes: PodClasses;
  readonly #generation: () => Generation;
  readonly #wake: () => void;
  readonly #schedulerName: string;
  #asking = 0;

  constructor(bench: Workbench, classes: PodClasses, generation: () => Generation, wake: () => void) {
    this.#bench = bench;
    this.#classes = classes;
    this.#generation = generation;
    this.#wake = wake;
    this.#schedulerName = bench.options.schedulerName ?? defaultSchedulerName;
  }

  /** Number of pods whose preEnqueue step is running. */
  get asking(): number {
    return this.#asking;
  }

  podSeen(pod: Immutable<Pod>): void {
    const { cluster, pending } = this.#bench;
    const { uid } = podName(pod);
    const node = pod.spec?.nodeName;
    if (hasEnded(pod)) {
      this.#drop(uid);
      cluster.podLeft(uid);
    } else if (node !== undefined && node !== '') {
      this.#drop(uid);
      cluster.podPlaced(pod, node);
    } else if (pod.metadata.deletionTimestamp !== undefined) {
      // A binding in flight may still succeed; if it fails, it releases the node itself.
      const binding = pending.get(uid)?.state === 'cycling';
      this.#drop(uid);
      if (!binding) cluster.podLeft(uid);
    } else if ((pod.spec?.schedulerName ?? '') === this.#schedulerName) this.#wanted(pod, pending.get(uid));
  }

  podDeleted(pod: Immutable<Pod>): void {
    const { uid } = podName(pod);
    this.#drop(uid);
    this.#bench.cluster.podLeft(uid);
  }

  /** Activates a waiting pod if its gates and the preEnqueue taps permit it. */
  enqueue(pending: PendingPod): void {
    const { preEnqueue } = this.#generation().taps;
    if (isGated(pending.pod)) {
      this.#bench.pending.gate(pending);
      reportPending(this.#bench, pending, 'SchedulingGated', 'the pod has scheduling gates');
    } else if (preEnqueue) {
      this.#bench.pending.gate(pending);
      void this.#ask(preEnqueue, pending, pending.pod);
    } else {
      this.#bench.pending.activate(pending);
      this.#wake();
    }
  }

  /** Re-evaluates gated pods after the taps have changed. */
  askAgain(): void {
    for (const pending of this.#bench.pending.all()) if (pending.state === 'gated') this.enqueue(pending);
  }

  #wanted(pod: Immutable<Pod>, known: PendingPod | undefined): void {
    const { pending } = this.#bench;
    const cls = this.#classOf(pod);
    if (cls === undefined) {
      this.#drop(podName(pod).uid);
      return;
    }
    if (known === undefined) {
      const added = pending.add(podName(pod).uid, pod, cls);
      if (added) this.enqueue(added);
      else this.#noRoom();
      return;
    }
    const changed = known.cls !== cls || isGated(known.pod) !== isGated(pod);
    pending.replace(known, pod, cls);
    if (changed && known.state !== 'cycling') this.enqueue(known);
  }

  /** Returns the class of a pod. An unreadable amount is reported on the pod, which is evaluated again when it changes. */
  #classOf(pod: Immutable<Pod>): SchedulingClass | undefined {
    try {
      return this.#classes.of(pod);
    } catch (error) {
      if (!isTapError(error)) throw error;
      const { options } = this.#bench;
      const none = { nodes: 0, feasibleNodes: 0, refused: [], retryOn: [] };
      record(this.#bench, {
        pod: podName(pod),
        atMs: options.clock.nowMs(),
        attempt: 1,
        outcome: 'failed',
        message: error.message,
        ...none,
      });
      options.setCondition?.(pod, { status: 'False', reason: 'SchedulerError', message: error.message });
      return undefined;
    }
  }

  async #ask(preEnqueue: Step, pending: PendingPod, pod: Immutable<Pod>): Promise<void> {
    this.#asking++;
    const { limits, options } = this.#bench;
    let againMs: number | undefined;
    try {
      const refusal = await preEnqueue({ pod });
      if (refusal) {
        againMs = options.clock.nowMs() + (refusal.waitMs ?? limits.parkedMsMax);
        if (!pending.dropped) reportPending(this.#bench, pending, 'SchedulingGated', `plugin "${refusal.plugin}": ${refusal.message}`);
      }
    } catch (cause) {
      reportStep(this.#bench, 'preEnqueue', cause);
      againMs = options.clock.nowMs() + limits.backoffMsMax;
    } finally {
      this.#asking--;
    }
    // A change of the pod meanwhile has started another evaluation.
    if (!pending.dropped && pending.state === 'gated' && pending.pod === pod) {
      if (againMs === undefined) this.#bench.pending.activate(pending);
      else this.#bench.pending.gate(pending, againMs);
    }
    this.#wake();
  }

  #drop(uid: string): void {
    const known = this.#bench.pending.get(uid);
    if (known !== undefined) this.#bench.pending.remove(known);
  }

  #noRoom(): void {
    const message = `expected at most ${this.#bench.limits.pendingPodsMax} pods without a node`;
    this.#bench.report({ error: scheduleErrors.TAP_SCHEDULE_QUEUE_FULL({ message }) });
  }
}
