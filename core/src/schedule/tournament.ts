/**
 * Tracks the slot with the highest score, with ties going to the lower rank, as single scores change.
 *
 * A complete binary tree whose leaves are the slots and whose inner nodes hold the better of two; a change walks one path to the root.
 */
export class Tournament {
  readonly #leaves: number;
  readonly #winners: Int32Array;

  /** `capacity` must be a power of two. */
  constructor(capacity: number) {
    this.#leaves = capacity;
    this.#winners = new Int32Array(2 * capacity).fill(-1);
  }

  /** The best slot; -1 when no slot takes part. */
  get best(): number {
    return this.#winners[1] ?? -1;
  }

  /** Updates a slot; a negative score excludes it. */
  update(slot: number, scores: Int32Array, ranks: Int32Array): void {
    const winners = this.#winners;
    let at = this.#leaves + slot;
    winners[at] = (scores[slot] ?? -1) < 0 ? -1 : slot;
    for (at >>= 1; at >= 1; at >>= 1) {
      const winner = better(winners[2 * at] ?? -1, winners[2 * at + 1] ?? -1, scores, ranks);
      // The nodes above do not depend on this slot if another one won here before and still does.
      if (winner === winners[at] && winner !== slot) return;
      winners[at] = winner;
    }
  }

  rebuild(scores: Int32Array, ranks: Int32Array): void {
    const winners = this.#winners;
    for (let slot = 0; slot < this.#leaves; slot++) winners[this.#leaves + slot] = (scores[slot] ?? -1) < 0 ? -1 : slot;
    for (let at = this.#leaves - 1; at >= 1; at--) winners[at] = better(winners[2 * at] ?? -1, winners[2 * at + 1] ?? -1, scores, ranks);
  }

  /** Returns the second-best slot, which lost directly to the best one somewhere on its path. */
  runnerUp(scores: Int32Array, ranks: Int32Array): number {
    let second = -1;
    for (let at = this.#leaves + Math.max(0, this.best); at > 1; at >>= 1)
      second = better(second, this.#winners[at ^ 1] ?? -1, scores, ranks);
    return second;
  }
}

function better(a: number, b: number, scores: Int32Array, ranks: Int32Array): number {
  if (a < 0 || b < 0) return a < 0 ? b : a;
  const difference = (scores[a] ?? 0) - (scores[b] ?? 0);
  if (difference !== 0) return difference > 0 ? a : b;
  return (ranks[a] ?? 0) < (ranks[b] ?? 0) ? a : b;
}
