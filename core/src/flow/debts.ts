import type { Bucket } from './bucket.js';

/** Overdrawn units by user. They are paid before anything else. */
export class Debts {
  readonly #max: number;
  readonly #units = new Map<string, number>();

  constructor(max: number) {
    this.#max = max;
  }

  get isEmpty(): boolean {
    return this.#units.size === 0;
  }

  of(who: string): number {
    return this.#units.get(who) ?? 0;
  }

  add(who: string, units: number): void {
    const owed = this.of(who) + units;
    this.#units.delete(who);
    const oldest = this.#units.size >= this.#max ? this.#units.keys().next().value : undefined;
    if (oldest !== undefined) this.#units.delete(oldest);
    this.#units.set(who, owed);
  }

  /** Pays with the available units; returns whether the debt is settled. */
  pay(who: string, bucket: Bucket): boolean {
    let owed = this.of(who);
    for (; owed > 0 && bucket.units >= 1; owed -= 1) bucket.take();
    if (owed === 0) this.#units.delete(who);
    else this.#units.set(who, owed);
    return owed === 0;
  }
}
