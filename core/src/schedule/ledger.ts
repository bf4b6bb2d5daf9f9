import type { Immutable, Pod } from '@tappaas/sdk';
import { footprintOf, type Demand, type Footprint } from './footprint.js';
import type { NodeTable } from './node-table.js';

/** One pod charged to a node. */
export interface Charge extends Demand {
  readonly uid: string;
  readonly pod: Immutable<Pod>;
  readonly slot: number;
  readonly priority: number;
  readonly footprint: Footprint;
  /** Placed by this scheduler, but not yet seen on the node in the cluster. */
  readonly assumed: boolean;
}

/** Which pod is charged to which node: the state of the cluster plus the assumptions of this scheduler. Every pod counts at most once. */
export class Ledger {
  readonly #table: NodeTable;
  readonly #charges = new Map<string, Charge>();
  readonly #bySlot = new Map<number, Set<string>>();

  constructor(table: NodeTable) {
    this.#table = table;
  }

  get size(): number {
    return this.#charges.size;
  }

  get(uid: string): Charge | undefined {
    return this.#charges.get(uid);
  }

  /** Charges a pod to a node, and releases its previous charge. `known` is the footprint of the demand, if available. */
  charge(pod: Immutable<Pod>, node: string, demand: Demand, assumed: boolean, known?: Footprint): void {
    const uid = pod.metadata.uid ?? '';
    this.release(uid);
    const slot = this.#table.holdSlot(node);
    const { requests, hostPorts } = demand;
    const footprint = known ?? footprintOf(this.#table, demand);
    this.#table.charge(slot, footprint);
    this.#charges.set(uid, { uid, pod, slot, priority: pod.spec?.priority ?? 0, requests, hostPorts, footprint, assumed });
    const uids = this.#bySlot.get(slot);
    if (uids === undefined) this.#bySlot.set(slot, new Set([uid]));
    else uids.add(uid);
  }

  /** The cluster shows the pod where it was assumed, so its charge stays. */
  confirm(charge: Charge, pod: Immutable<Pod>): void {
    this.#charges.set(charge.uid, { ...charge, pod, assumed: false });
  }

  release(uid: string): Charge | undefined {
    const charge = this.#charges.get(uid);
    if (charge === undefined) return undefined;
    this.#charges.delete(uid);
    const uids = this.#bySlot.get(charge.slot);
    uids?.delete(uid);
    if (uids?.size === 0) this.#bySlot.delete(charge.slot);
    this.#table.release(charge.slot, charge.footprint);
    return charge;
  }

  /** Returns the pods on a node, in no particular order. */
  on(slot: number): readonly Charge[] {
    return [...(this.#bySlot.get(slot) ?? [])].flatMap((uid) => this.#charges.get(uid) ?? []);
  }

  all(): Iterable<Charge> {
    return this.#charges.values();
  }

  /** Charges requests for resources that no node had before; to be called when the table has new ones. */
  resolveAgain(): void {
    for (const charge of this.#charges.values()) {
      if (charge.footprint.unknownResource === undefined) continue;
      const footprint = footprintOf(this.#table, charge);
      this.#table.charge(charge.slot, footprint);
      this.#table.release(charge.slot, charge.footprint);
      this.#charges.set(charge.uid, { ...charge, footprint });
    }
  }
}
