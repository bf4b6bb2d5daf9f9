/**
 * Ranks of slots by node name (UTF-16 code units), maintained as names are added and removed.
 *
 * Adding a name shifts others by one but never swaps two, so earlier comparisons by rank remain valid.
 */
export class NameOrder {
  readonly #names: string[] = [];
  readonly #slots: number[] = [];
  #ranks: Int32Array;

  constructor(capacity: number) {
    this.#ranks = new Int32Array(capacity);
  }

  /** Rank by slot; meaningless for slots without a name. */
  get ranks(): Int32Array {
    return this.#ranks;
  }

  /** Slots in the order of their names. */
  get slots(): readonly number[] {
    return this.#slots;
  }

  add(name: string, slot: number): void {
    const rank = this.#position(name);
    this.#names.splice(rank, 0, name);
    this.#slots.splice(rank, 0, slot);
    this.#renumber(rank);
  }

  remove(name: string): void {
    const rank = this.#position(name);
    if (this.#names[rank] !== name) return;
    this.#names.splice(rank, 1);
    this.#slots.splice(rank, 1);
    this.#renumber(rank);
  }

  grow(capacity: number): void {
    const ranks = new Int32Array(capacity);
    ranks.set(this.#ranks);
    this.#ranks = ranks;
  }

  #position(name: string): number {
    let low = 0;
    let high = this.#names.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#names[middle] ?? '') < name) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #renumber(from: number): void {
    for (let rank = from; rank < this.#slots.length; rank++) this.#ranks[this.#slots[rank] ?? 0] = rank;
  }
}
