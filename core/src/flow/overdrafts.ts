import type { Bucket } from './bucket.js';

/** Overdrawn units by user. They are paid before anything else. */
export class Overdrafts {
  readonly #max: number;
  readonly #units = new Map<string, number>();

  constructor(max: number) {
    this.#max = max;
  }

  get isEmpty(): boolean {
    return this.#units.size === 0;
  }

  of(user: string): number {
    return this.#units.get(user) ?? 0;
  }

  add(user: string, units: number): void {
    const overdrawn = this.of(user) + units;
    this.#units.delete(user);
    const oldest = this.#units.size >= this.#max ? this.#units.keys().next().value : undefined;
    if (oldest !== undefined) this.#units.delete(oldest);
    this.#units.set(user, overdrawn);
  }

  /** Pays with the available units; returns whether the debt is settled. */
  pay(user: string, bucket: Bucket): boolean {
    let overdrawn = this.of(user);
    for (; overdrawn > 0 && bucket.units >= 1; overdrawn -= 1) bucket.take();
    if (overdrawn === 0) this.#units.delete(user);
    else this.#units.set(user, overdrawn);
    return overdrawn === 0;
  }
}
