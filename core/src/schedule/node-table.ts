import type { Immutable, Node, Taint } from '@tappaas/sdk';
import type { Footprint } from './footprint.js';
import { HostPortTable } from './host-ports.js';
import { NameOrder } from './name-order.js';
import type { Amounts } from './pod-requests.js';
import { RecencyList } from './recency-list.js';
import { grownFloats, ResourceIndex, type ResourceColumns } from './resource-columns.js';

/** The facts that the scheduler keeps of a node. */
export interface NodeFacts {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly taints: readonly Immutable<Taint>[];
  readonly unschedulable: boolean;
  readonly allocatable: Amounts;
  /** For plugin columns, which are computed from it. */
  readonly node: Immutable<Node>;
}

/**
 * All nodes as a struct of arrays, indexed by slot.
 *
 * A node's name holds its slot as long as the node exists or pods are charged to it, so a node that disappears and returns finds its pods
 * counted. A slot without a node (no entry in `facts`) accepts no pod.
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
  /** Slots by node name, including those without a node. */
  get slotsByName(): readonly number[] {
    return this.#order.slots;
  }

  /** Number of resources with columns; grows when a node or a tap introduces one. */
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
  /** Number of the latest change of the node itself, not of the pods on it. */
  nodeChangedAt(slot: number): number {
    return this.#nodeChangedAt[slot] ?? 0;
  }
  /** Writes the slots changed after `generation` to `into`, which must have room for `capacity` entries. */
  changedSince(generation: number, into: Int32Array): number {
    return this.#changes.since(generation, into);
  }

  /** Adds or updates a node. */
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

  /** Updates a node whose change does not affect scheduling, such as a heartbeat. */
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

  /** Marks a node as changed (not its pods), for example because a plugin column changed. */
  touchNode(slot: number): void {
    this.#nodeChangedAt[slot] = this.#changes.touch(slot);
  }

  /** Returns the slot of a name, allocating it if necessary, because a pod may be seen before its node. */
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

  /** Whether the pod fits into the free resources. A request of zero never prevents it. */
  fits(slot: number, footprint: Footprint): boolean {
    return this.#facts[slot] !== undefined && this.shortage(slot, footprint) === undefined;
  }

  /** Returns the first resource of which the node has too little. */
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
    // The columns are overwritten by the next node; a slot without pods has no requests.
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
