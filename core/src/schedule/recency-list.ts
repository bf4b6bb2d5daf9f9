/**
 * Slots ordered by their last change, latest first, with the number of the change.
 *
 * A reader that remembers the last number it saw walks from the front and meets every slot changed since exactly once: nothing overflows
 * and nothing needs deduplication, however far behind the reader is.
 */
export class RecencyList {
  #generation = 0;
  #head = -1;
  #older: Int32Array;
  #newer: Int32Array;
  #changedAt: Float64Array;

  constructor(capacity: number) {
    this.#older = new Int32Array(capacity).fill(-1);
    this.#newer = new Int32Array(capacity).fill(-1);
    this.#changedAt = new Float64Array(capacity);
  }

  /** The number of the latest change. */
  get generation(): number {
    return this.#generation;
  }

  /** Marks `slot` as the latest changed; returns the number of the change. */
  touch(slot: number): number {
    this.#changedAt[slot] = ++this.#generation;
    if (slot === this.#head) return this.#generation;
    this.#unlink(slot);
    this.#older[slot] = this.#head;
    if (this.#head >= 0) this.#newer[this.#head] = slot;
    this.#head = slot;
    return this.#generation;
  }

  /** Writes the slots changed after `generation` to `into`, latest first, and returns their number. */
  since(generation: number, into: Int32Array): number {
    let count = 0;
    for (let slot = this.#head; slot >= 0 && (this.#changedAt[slot] ?? 0) > generation; slot = this.#older[slot] ?? -1)
      into[count++] = slot;
    return count;
  }

  grow(capacity: number): void {
    this.#older = grown(this.#older, capacity);
    this.#newer = grown(this.#newer, capacity);
    const changedAt = new Float64Array(capacity);
    changedAt.set(this.#changedAt);
    this.#changedAt = changedAt;
  }

  #unlink(slot: number): void {
    const older = this.#older[slot] ?? -1;
    const newer = this.#newer[slot] ?? -1;
    if (newer >= 0) this.#older[newer] = older;
    if (older >= 0) this.#newer[older] = newer;
    this.#newer[slot] = -1;
  }
}

function grown(list: Int32Array, capacity: number): Int32Array {
  const larger = new Int32Array(capacity).fill(-1);
  larger.set(list);
  return larger;
}
