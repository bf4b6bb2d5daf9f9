import { FairLine } from './fair-line.js';
import type { Item, Priority } from './item.js';

/** One in this many items is taken from the low line first, so that a steady stream of changes cannot starve it. */
const lowEvery = 16;

/** Keys under way and new keys take turns, so that neither starves the other. */
const turns = { odd: ['under-way', 'normal', 'low'], even: ['normal', 'under-way', 'low'], low: ['low', 'under-way', 'normal'] } as const;
const urgency = { 'under-way': 2, normal: 1, low: 0 } as const;

export const isMoreUrgent = (one: Priority, other: Priority): boolean => urgency[one] > urgency[other];
export const moreUrgent = (one: Priority, other: Priority): Priority => (isMoreUrgent(one, other) ? one : other);

/** Ready items, each in the line of its priority, in which tenants take turns. */
export class PriorityLines<K extends string | number> {
  readonly #lines: Readonly<Record<Priority, FairLine<K>>>;
  #taken = 0;

  constructor(weightOf: (tenant: string) => number) {
    const line = () => new FairLine<K>(weightOf);
    this.#lines = { 'under-way': line(), normal: line(), low: line() };
  }

  get size(): number {
    return this.#lines['under-way'].size + this.#lines.normal.size + this.#lines.low.size;
  }

  push(item: Item<K>, tenant: string): void {
    this.#lines[item.priority].push(item, tenant);
  }

  remove(item: Item<K>): void {
    this.#lines[item.priority].remove(item);
  }

  shift(): Item<K> | undefined {
    this.#taken += 1;
    const [first, second, third] = this.#taken % lowEvery === 0 ? turns.low : this.#taken % 2 === 0 ? turns.even : turns.odd;
    const lines = this.#lines;
    return lines[first].shift() ?? lines[second].shift() ?? lines[third].shift();
  }
}
