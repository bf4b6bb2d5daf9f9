import type { Item } from './item.js';

/** A binary heap of delayed items, earliest first; each item records its position, so that any can be removed. */
export class DelayHeap<K> {
  readonly #items: Item<K>[] = [];

  get size(): number {
    return this.#items.length;
  }

  get first(): Item<K> | undefined {
    return this.#items[0];
  }

  push(item: Item<K>): void {
    this.#place(item, this.#items.length);
    this.#up(item);
  }

  remove(item: Item<K>): void {
    const last = this.#items.pop();
    if (last !== undefined && last !== item) {
      this.#place(last, item.heapIndex);
      this.#up(last);
      this.#down(last);
    }
    item.heapIndex = -1;
  }

  clear(): void {
    for (const item of this.#items) item.heapIndex = -1;
    this.#items.length = 0;
  }

  #place(item: Item<K>, index: number): void {
    this.#items[index] = item;
    item.heapIndex = index;
  }

  #up(item: Item<K>): void {
    let index = item.heapIndex;
    while (index > 0) {
      const above = (index - 1) >> 1;
      const parent = this.#items[above];
      if (parent === undefined || parent.dueMs <= item.dueMs) break;
      this.#place(parent, index);
      index = above;
    }
    this.#place(item, index);
  }

  #down(item: Item<K>): void {
    let index = item.heapIndex;
    for (;;) {
      const left = this.#items[2 * index + 1];
      const right = this.#items[2 * index + 2];
      const child = right !== undefined && left !== undefined && right.dueMs < left.dueMs ? right : left;
      if (child === undefined || child.dueMs >= item.dueMs) break;
      const below = child.heapIndex;
      this.#place(child, index);
      index = below;
    }
    this.#place(item, index);
  }
}
