import type { Immutable, Node, Taint } from '@tappaas/sdk';
import type { Footprint } from './footprint.js';
import { HostPortTable } from './host-ports.js';
import { NameOrder } from './name-order.js';
import type { Amounts } from './pod-requests.js';
import { RecencyList } from './recency-list.js';
import { grownFloats, ResourceIndex, type ResourceColumns } from './resource-columns.js';

/** What the scheduler keeps of a node. */
export interface NodeFacts {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly taints: readonly Immutable<Taint>[];
  readonly unschedulable: boolean;
  readonly allocatable: Amounts;
  /** For columns, which are computed from it. */
  readonly node: Immutable<Node>;
}

/**
 * All nodes as a struct of arrays, indexed by slot.
 *
 * A slot is held by a node's name as long as the node exists or pods are charged to it: a node that goes and comes back finds its
 * pods counted. A slot without a node (`facts` has nothing there) takes no pod.
 */
export class NodeTable {
  readonly #slots = new Map<string, number>();
  readonly #names: (string | undefined)[] = [];
  readonly #facts: (NodeFacts | undefined)[] = [];
  readonly #unused: number[] = [];
  readonly #order: NameOrder;
  readonly #changes: RecencyList;
  readonly #resources: ResourceIndex;
  readonly hostPorts = new HostPortTable();
  #capacity: number;
  #nodes = 0;
  #podCounts: Float64Array;
  #podsFree: Float64Array;
  #nodeChangedAt: Float64Array;

  constructor(options: { readonly resourcesMax: number; readonly capacity?: number }) {
    this.#capacity = options.capacity ?? 16;
    this.#order = new NameOrder(this.#capacity);
    this.#changes = new RecencyList(this.#capacity);
    this.#resources = new ResourceIndex(this.#capacity, options.resourcesMax);
    this.#podCounts = new Float64Array(this.#capacity);
    this.#podsFree = new Float64Array(this.#capacity);
    this.#nodeChangedAt = new Float64Array(this.#capacity);
  }

  /** Length of every array; doubles when slots run out. */
  get capacity(): number {
    return this.#capacity;
  }
  /** How many nodes exist. */
  get nodes(): number {
    return this.#nodes;
  }
  /** Number of the latest change of any slot. */
  get generation(): number {
    return this.#changes.generation;
  }
  get podsFree(): Float64Array {
    return this.#podsFree;
  }
  get ranks(): Int32Array {
    return this.#order.ranks;
  }
  /** Slots by node name, those without a node included. */
  get slotsByName(): readonly number[] {
    return this.#order.slots;
  }

  /** How many resources have columns; grows when a node or a tap brings a new one. */
  get resources(): number {
    return this.#resources.size;
  }
  knownResource(name: string): ResourceColumns | undefined {
    return this.#resources.known(name);
  }
  internResource(name: string): ResourceColumns | undefined {
    return this.#resources.intern(name);
  }
  facts(slot: number): NodeFacts | undefined {
    return this.#facts[slot];
  }
  nameOf(slot: number): string {
    return this.#names[slot] ?? '';
  }
  slotOf(name: string): number | undefined {
    return this.#slots.get(name);
  }
  podCount(slot: number): number {
    return this.#podCounts[slot] ?? 0;
  }
  /** Number of the latest change of the node itself, as against that of the pods on it. */
  nodeChangedAt(slot: number): number {
    return this.#nodeChangedAt[slot] ?? 0;
  }
  /** Slots changed after `generation`; `into` must have room for `capacity` entries. */
  changedSince(generation: number, into: Int32Array): number {
    return this.#changes.since(generation, into);
  }

  /** Takes a node in, or its new state. */
  setNode(facts: NodeFacts): number {
    const slot = this.holdSlot(facts.name);
    if (this.#facts[slot] === undefined) this.#nodes++;
    this.#facts[slot] = facts;
    for (const resource of facts.allocatable.keys()) this.#resources.intern(resource);
    for (const columns of this.#resources.all()) {
      const allocatable = facts.allocatable.get(columns.resource) ?? 0;
      columns.allocatable[slot] = allocatable;
      columns.free[slot] = allocatable - (columns.requested[slot] ?? 0);
    }
    this.#podsFree[slot] = (facts.allocatable.get('pods') ?? 0) - (this.#podCounts[slot] ?? 0);
    this.touchNode(slot);
    return slot;
  }

  /** Takes over a node whose state has nothing new for scheduling, such as a heartbeat. */
  refreshNode(slot: number, facts: NodeFacts): void {
    this.#facts[slot] = facts;
  }

  removeNode(name: string): boolean {
    const slot = this.#slots.get(name);
    if (slot === undefined || this.#facts[slot] === undefined) return false;
    this.#nodes--;
    this.#facts[slot] = undefined;
    this.touchNode(slot);
    this.#dropIfEmpty(slot);
    return true;
  }

  /** Says that what depends on the node (not on its pods) may have changed, such as a plugin's column. */
  touchNode(slot: number): void {
    this.#nodeChangedAt[slot] = this.#changes.touch(slot);
  }

  /** The slot of a name, made when there is none: a pod may be seen before its node. */
  holdSlot(name: string): number {
    const known = this.#slots.get(name);
    if (known !== undefined) return known;
    const slot = this.#unused.pop() ?? this.#names.length;
    if (slot >= this.#capacity) this.#grow();
    this.#names[slot] = name;
    this.#facts[slot] = undefined;
    this.#slots.set(name, slot);
    this.#order.add(name, slot);
    this.touchNode(slot);
    return slot;
  }

  /** Says whether the pod fits into what is free. A resource asked for by zero never stands in the way. */
  fits(slot: number, footprint: Footprint): boolean {
    return this.#facts[slot] !== undefined && this.shortage(slot, footprint) === undefined;
  }

  /** The first resource of which the node has too little. */
  shortage(slot: number, footprint: Footprint): string | undefined {
    if (footprint.unknownResource !== undefined) return footprint.unknownResource;
    if ((this.#podsFree[slot] ?? 0) < 1) return 'pods';
    const { columns, amounts } = footprint;
    for (let i = 0; i < columns.length; i++) {
      const amount = amounts[i] ?? 0;
      if (amount > 0 && amount > (columns[i]?.free[slot] ?? 0)) return columns[i]?.resource;
    }
    return undefined;
  }

  charge(slot: number, footprint: Footprint): void {
    this.#add(slot, footprint, 1);
    this.hostPorts.take(slot, footprint.hostPorts);
  }

  release(slot: number, footprint: Footprint): void {
    this.#add(slot, footprint, -1);
    this.hostPorts.release(slot, footprint.hostPorts);
    this.#dropIfEmpty(slot);
  }

  #add(slot: number, { columns, amounts }: Footprint, sign: 1 | -1): void {
    for (let i = 0; i < columns.length; i++) {
      const column = columns[i];
      if (column === undefined) continue;
      const requested = (column.requested[slot] ?? 0) + sign * (amounts[i] ?? 0);
      column.requested[slot] = requested;
      column.free[slot] = (column.allocatable[slot] ?? 0) - requested;
    }
    this.#podCounts[slot] = (this.#podCounts[slot] ?? 0) + sign;
    this.#podsFree[slot] = (this.#podsFree[slot] ?? 0) - sign;
    this.#changes.touch(slot);
  }

  #dropIfEmpty(slot: number): void {
    if (this.#facts[slot] !== undefined || this.podCount(slot) > 0) return;
    const name = this.nameOf(slot);
    this.#slots.delete(name);
    this.#order.remove(name);
    this.#names[slot] = undefined;
    // What stands in the columns is written anew with the next node; nothing is requested of a slot without pods.
    this.#unused.push(slot);
  }

  #grow(): void {
    this.#capacity *= 2;
    this.#order.grow(this.#capacity);
    this.#changes.grow(this.#capacity);
    this.#resources.grow(this.#capacity);
    this.#podCounts = grownFloats(this.#podCounts, this.#capacity);
    this.#podsFree = grownFloats(this.#podsFree, this.#capacity);
    this.#nodeChangedAt = grownFloats(this.#nodeChangedAt, this.#capacity);
  }
}
