/** An item that records its position in a {@link Heap}, so that it can be removed from the middle. */
export interface HeapItem {
  /** Position; -1 when in no heap. Written by the heap only. */
  heapAt: number;
}

/** A binary heap; an item is in at most one heap at a time. */
export class Heap<T extends HeapItem> {
  readonly #items: T[] = [];
  readonly #before: (a: T, b: T) => boolean;

  constructor(before: (a: T, b: T) => boolean) {
    this.#before = before;
  }

  get size(): number {
    return this.#items.length;
  }
  get first(): T | undefined {
    return this.#items[0];
  }

  push(item: T): void {
    this.#place(item, this.#items.length);
    this.#up(item);
  }

  pop(): T | undefined {
    const first = this.#items[0];
    if (first !== undefined) this.remove(first);
    return first;
  }

  has(item: T): boolean {
    return this.#items[item.heapAt] === item;
  }

  remove(item: T): boolean {
    const at = item.heapAt;
    if (!this.has(item)) return false;
    item.heapAt = -1;
    const last = this.#items.pop();
    if (last === undefined || last === item) return true;
    this.#place(last, at);
    this.#up(last);
    this.#down(last);
    return true;
  }

  #place(item: T, at: number): void {
    this.#items[at] = item;
    item.heapAt = at;
  }

  #up(item: T): void {
    for (let at = item.heapAt; at > 0; at = item.heapAt) {
      const parentAt = (at - 1) >> 1;
      const parent = this.#items[parentAt];
      if (parent === undefined || !this.#before(item, parent)) return;
      this.#place(parent, at);
      this.#place(item, parentAt);
    }
  }

  #down(item: T): void {
    for (;;) {
      const at = item.heapAt;
      const left = this.#items[2 * at + 1];
      const right = this.#items[2 * at + 2];
      const child = right !== undefined && left !== undefined && this.#before(right, left) ? right : left;
      if (child === undefined || !this.#before(child, item)) return;
      const childAt = child.heapAt;
      this.#place(child, at);
      this.#place(item, childAt);
    }
  }
}
