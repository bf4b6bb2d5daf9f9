import { feasible } from './reason-table.js';
import type { ScoreSource } from './score-source.js';

export const pointsMax = 100;

/** What one source says of every node for one class, and the range over the feasible nodes that its scale is stretched to. */
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

  /** The source failed: it says nothing about any node, so that nodes asked earlier have no advantage. */
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

  /** A node that was feasible is so no longer. */
  leave(slot: number): void {
    this.#leaves(this.#raw[slot] ?? 0);
  }

  /** A node is feasible again, with the value known of it. */
  enter(slot: number): void {
    this.#enters(this.#raw[slot] ?? 0);
  }

  /** Finds the range anew if it may have moved; says whether it has. */
  settle(verdicts: Int32Array): boolean {
    if (this.#failed || this.source.scale === 'points' || (this.#known && !this.#rangeStale)) return false;
    const [min, max] = [this.#min, this.#max];
    const had = this.#known;
    this.#known = false;
    for (let slot = 0; slot < verdicts.length; slot++) if (verdicts[slot] === feasible) this.#stretch(this.#raw[slot] ?? 0);
    this.#rangeStale = false;
    return had !== this.#known || min !== this.#min || max !== this.#max;
  }

  /** 0 to 100. Where all feasible nodes are equal, none is worse: 100. */
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

/** Whole points from 0 to 100, rounded down; what a `points` source says beyond that counts as nothing. */
export function scaled(scale: ScoreSource['scale'], value: number, min: number, max: number): number {
  if (scale === 'points') return value >= 0 && value <= pointsMax ? value : 0;
  if (min === max) return pointsMax;
  const distance = scale === 'more-is-better' ? value - min : max - value;
  return Math.floor((distance * pointsMax) / (max - min));
}
