import type { Item } from './item.js';

/** The waiting items of one tenant, first in, first out, and its neighbors in the ring of tenants with waiting items. */
export interface Lane<K> {
  readonly tenant: string;
  head: Item<K> | undefined;
  tail: Item<K> | undefined;
  /** Items that it may still hand out before the next tenant's turn. */
  credit: number;
  before: Lane<K>;
  after: Lane<K>;
}

/** Up to this number of empty lanes is kept for reuse; beyond that they are removed. */
const emptyLanesMax = 1024;

/**
 * A queue in which tenants take turns: each hands out as many items as its weight, then the next one does.
 *
 * All lists are intrusive (the links are in the items and lanes), so every operation takes constant time, and a tenant with a million items
 * delays another's single item by one turn.
 */
export class FairLine<K> {
  size = 0;
  readonly #lanes = new Map<string, Lane<K>>();
  readonly #weightOf: (tenant: string) => number;
  #turn: Lane<K> | undefined;
  #active = 0;

  constructor(weightOf: (tenant: string) => number) {
    this.#weightOf = weightOf;
  }

  push(item: Item<K>, tenant: string): void {
    const lane = this.#lanes.get(tenant) ?? this.#open(tenant);
    if (lane.head === undefined) this.#enter(lane);
    item.lane = lane;
    item.previous = lane.tail;
    if (lane.tail === undefined) lane.head = item;
    else lane.tail.next = item;
    lane.tail = item;
    this.size += 1;
  }

  shift(): Item<K> | undefined {
    const lane = this.#turn;
    const item = lane?.head;
    if (lane === undefined || item === undefined) return undefined;
    lane.credit -= 1;
    this.remove(item);
    if (lane.head !== undefined && lane.credit <= 0) this.#pass(lane);
    return item;
  }

  /** Removes a waiting item from the middle. */
  remove(item: Item<K>): void {
    const lane = item.lane;
    if (lane === undefined) return;
    if (item.previous === undefined) lane.head = item.next;
    else item.previous.next = item.next;
    if (item.next === undefined) lane.tail = item.previous;
    else item.next.previous = item.previous;
    item.previous = undefined;
    item.next = undefined;
    item.lane = undefined;
    this.size -= 1;
    if (lane.head === undefined) this.#leave(lane);
  }

  #open(tenant: string): Lane<K> {
    if (this.#lanes.size - this.#active >= emptyLanesMax) this.#sweep();
    const lane = { tenant, head: undefined, tail: undefined, credit: 0 } as Partial<Lane<K>> as Lane<K>;
    lane.before = lane;
    lane.after = lane;
    this.#lanes.set(tenant, lane);
    return lane;
  }

  #sweep(): void {
    for (const [tenant, lane] of this.#lanes) if (lane.head === undefined) this.#lanes.delete(tenant);
  }

  /** Adds a tenant behind all others, so that leaving and returning gains nothing. */
  #enter(lane: Lane<K>): void {
    lane.credit = this.#weight(lane.tenant);
    this.#active += 1;
    if (this.#turn === undefined) {
      this.#turn = lane;
      lane.before = lane;
      lane.after = lane;
      return;
    }
    lane.after = this.#turn;
    lane.before = this.#turn.before;
    lane.before.after = lane;
    lane.after.before = lane;
  }

  #leave(lane: Lane<K>): void {
    this.#active -= 1;
    if (this.#turn === lane) this.#turn = lane.after === lane ? undefined : lane.after;
    lane.before.after = lane.after;
    lane.after.before = lane.before;
  }

  #pass(lane: Lane<K>): void {
    lane.credit = this.#weight(lane.tenant);
    this.#turn = lane.after;
  }

  #weight(tenant: string): number {
    return Math.max(1, Math.floor(this.#weightOf(tenant)));
  }
}
