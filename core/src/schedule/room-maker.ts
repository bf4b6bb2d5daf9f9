import type { PodName } from './decision.js';
import { scheduleErrors } from './errors.js';
import type { Charge } from './ledger.js';
import type { PendingPod } from './pending-pods.js';
import { podName } from './pod-facts.js';
import type { Eviction } from './taps.js';
import { forget, reportStep, type Generation, type Workbench } from './workbench.js';

const nominationMsMax = 5 * 60_000;

/**
 * Makes room for a pod that fits nowhere, as proposed by a postFilter tap.
 *
 * The pod counts on the node from the moment its victims are asked to leave, so no other pod gets the freed resources.
 */
export class RoomMaker {
  readonly #bench: Workbench;
  readonly #nominated = new Set<PendingPod>();

  constructor(bench: Workbench) {
    this.#bench = bench;
  }

  /** Whether making room for the pod is possible at all. */
  worthwhile({ pod }: PendingPod, { taps }: Generation): boolean {
    return taps.postFilter !== undefined && this.#bench.options.evict !== undefined && pod.spec?.preemptionPolicy !== 'Never';
  }

  /** Activates the pods that wait for their victims. */
  podDeleted(): void {
    for (const pending of this.#nominated) {
      if (pending.dropped) this.#nominated.delete(pending);
      else if (pending.state === 'parked') this.#bench.pending.activate(pending);
    }
  }

  /** Releases the pod's own reservation before an attempt to place it. */
  withdraw(pending: PendingPod): void {
    if (pending.nominated !== undefined) this.#bench.cluster.ledger.release(pending.uid);
  }

  /** Keeps the reservation while the victims are still there. Returns whether it is kept. */
  keep(pending: PendingPod): boolean {
    const { nominated } = pending;
    if (nominated === undefined) return false;
    const { cluster, options } = this.#bench;
    if (nominated.untilMs <= options.clock.nowMs() || cluster.table.slotOf(nominated.node) === undefined) {
      this.abandon(pending);
      this.#bench.pending.happened('pod-deleted');
      return false;
    }
    cluster.ledger.charge(pending.pod, nominated.node, pending.cls, true);
    return true;
  }

  /** Drops the reservation, which must have been withdrawn. */
  abandon(pending: PendingPod): void {
    pending.nominated = undefined;
    this.#nominated.delete(pending);
  }

  /** Releases the reservation of a pod that cannot use it for now. */
  release(pending: PendingPod): void {
    if (pending.nominated === undefined) return;
    this.abandon(pending);
    forget(this.#bench, pending);
  }

  /** Asks the taps for victims and evicts them. */
  async make(
    pending: PendingPod,
    generation: Generation,
  ): Promise<{ readonly node: string; readonly pods: readonly PodName[] } | undefined> {
    const proposal = await this.#proposal(pending, generation);
    if (proposal === undefined || pending.dropped) return undefined;
    const { plugin, eviction } = proposal;
    const victims = this.#accepted(pending, generation, eviction);
    if (victims === undefined) {
      const { namespace, name } = podName(pending.pod);
      const message = `plugin "${plugin}": evicting ${eviction.evict.length} pods from node "${eviction.node}" would not make room for pod ${namespace}/${name}, or harm pods of no lower priority`;
      this.#bench.report({ error: scheduleErrors.TAP_SCHEDULE_EVICTION_REFUSED({ message }), plugin });
      return undefined;
    }
    this.#bench.cluster.ledger.charge(pending.pod, eviction.node, pending.cls, true);
    pending.nominated = { node: eviction.node, untilMs: this.#bench.options.clock.nowMs() + nominationMsMax };
    this.#nominated.add(pending);
    return (await this.#evict(pending, victims)) ? { node: eviction.node, pods: victims.map(({ pod }) => podName(pod)) } : undefined;
  }

  async #proposal(
    pending: PendingPod,
    { taps, engine }: Generation,
  ): Promise<{ readonly plugin: string; readonly eviction: Eviction } | undefined> {
    const { table, ledger } = this.#bench.cluster;
    const rejected = Object.fromEntries(Object.entries(engine.explain(pending.cls).rejected).map(([node, { message }]) => [node, message]));
    const nodes = table.slotsByName.map((slot) => table.facts(slot)?.node).filter((node) => node !== undefined);
    const input = { pod: pending.pod, rejected, nodes, pods: [...ledger.all()].map(({ pod }) => pod) };
    try {
      return await taps.postFilter?.(input);
    } catch (cause) {
      reportStep(this.#bench, 'postFilter', cause);
      return undefined;
    }
  }

  /** Returns the victims if all are on the node and of lower priority, and the pod would fit without them. */
  #accepted(pending: PendingPod, { engine }: Generation, { node, evict }: Eviction): readonly Charge[] | undefined {
    const { table, ledger } = this.#bench.cluster;
    const slot = table.slotOf(node);
    const victims = evict.flatMap(({ uid }) => ledger.get(uid) ?? []);
    const { priority } = pending.cls.pod;
    if (slot === undefined || victims.length !== evict.length) return undefined;
    if (victims.some((victim) => victim.slot !== slot || victim.priority >= priority)) return undefined;
    for (const { footprint } of victims) table.release(slot, footprint);
    try {
      return engine.accepts(pending.cls, slot) ? victims : undefined;
    } finally {
      for (const { footprint } of victims) table.charge(slot, footprint);
    }
  }

  async #evict(pending: PendingPod, victims: readonly Charge[]): Promise<boolean> {
    const { options } = this.#bench;
    for (const victim of victims) {
      try {
        await options.evict?.(podName(victim.pod), podName(pending.pod));
      } catch (cause) {
        reportStep(this.#bench, `evicting pod ${victim.pod.metadata.namespace}/${victim.pod.metadata.name}`, cause);
        this.release(pending);
        return false;
      }
      const { namespace, name } = podName(pending.pod);
      options.emitEvent?.({
        pod: podName(victim.pod),
        type: 'Normal',
        reason: 'Preempted',
        message: `makes room for ${namespace}/${name}`,
      });
    }
    return true;
  }
}
