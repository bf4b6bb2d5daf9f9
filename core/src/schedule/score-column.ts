import { feasible } from './reason-table.js';
import type { ScoreSource } from './score-source.js';

export const pointsMax = 100;

/** The values of one source for every node and one class, and the range over the feasible nodes to which they are scaled. */
export class ScoreColumn {
  readonly source: ScoreSource;
  readonly #raw: Int32Array;
  #min = 0;
  #max = 0;
  #known = false;
  #rangeStale = false;
  #failed = false;

  constructor(source: ScoreSource, capacity: number) {
    this.source = source;
    this.#raw = new Int32Array(capacity);
  }

  get failed(): boolean {
    return this.#failed;
  }

  /** Disables a failed source for all nodes, so that nodes evaluated earlier have no advantage. */
  fail(): void {
    this.#failed = true;
    this.#known = false;
  }

  set(slot: number, value: number, wasFeasible: boolean): void {
    const before = this.#raw[slot] ?? 0;
    this.#raw[slot] = value;
    if (wasFeasible && before !== value) this.#leaves(before);
    this.#enters(value);
  }

  /** A node is no longer feasible. */
  leave(slot: number): void {
    this.#leaves(this.#raw[slot] ?? 0);
  }

  /** A node is feasible again, with its known value. */
  enter(slot: number): void {
    this.#enters(this.#raw[slot] ?? 0);
  }

  /** Recomputes the range if it may have changed; returns whether it did. */
  settle(verdicts: Int32Array): boolean {
    if (this.#failed || this.source.scale === 'points' || (this.#known && !this.#rangeStale)) return false;
    const [min, max] = [this.#min, this.#max];
    const had = this.#known;
    this.#known = false;
    for (let slot = 0; slot < verdicts.length; slot++) if (verdicts[slot] === feasible) this.#stretch(this.#raw[slot] ?? 0);
    this.#rangeStale = false;
    return had !== this.#known || min !== this.#min || max !== this.#max;
  }

  /** Returns 0 to 100. If all feasible nodes are equal, each gets 100. */
  points(slot: number): number {
    const value = this.#raw[slot] ?? 0;
    if (this.#failed) return 0;
    return scaled(this.source.scale, value, this.#min, this.#max);
  }

  raw(slot: number): number {
    return this.#raw[slot] ?? 0;
  }

  #leaves(value: number): void {
    if (value === this.#min || value === this.#max) this.#rangeStale = true;
  }

  #enters(value: number): void {
    if (value < this.#min || value > this.#max) this.#rangeStale = true;
  }

  #stretch(value: number): void {
    this.#min = this.#known ? Math.min(this.#min, value) : value;
    this.#max = this.#known ? Math.max(this.#max, value) : value;
    this.#known = true;
  }
}

/** Scales to integer points from 0 to 100, rounded down; an out-of-range value of a `points` source counts as 0. */
export function scaled(scale: ScoreSource['scale'], value: number, min: number, max: number): number {
  if (scale === 'points') return value >= 0 && value <= pointsMax ? value : 0;
  if (min === max) return pointsMax;
  const distance = scale === 'more-is-better' ? value - min : max - value;
  return Math.floor((distance * pointsMax) / (max - min));
}
