import { countMs, toldMax, toldPerAddressMax } from './audit-limits.js';

/** Requests that audit is told of one by one: so many of an address, and of all addresses, within ten minutes. */
export class ToldEach {
  /** No more addresses than `toldMax`. */
  readonly #told = new Map<string, number>();
  #all = 0;
  #sinceMs = -Infinity;

  /** Whether this request of an address is one of them. */
  take(holder: string, nowMs: number): boolean {
    // Also over when the clock was set back.
    if (Math.abs(nowMs - this.#sinceMs) >= countMs) this.#begin(nowMs);
    const told = this.#told.get(holder) ?? 0;
    if (told >= toldPerAddressMax || this.#all >= toldMax) return false;
    this.#told.set(holder, told + 1);
    this.#all += 1;
    return true;
  }

  #begin(nowMs: number): void {
    this.#sinceMs = nowMs;
    this.#told.clear();
    this.#all = 0;
  }
}
