import { countMs, toldMax, toldPerAddressMax } from './audit-limits.js';

/** Decides which requests are audited one by one: a limited number per address, and of all addresses, in ten minutes. */
export class ToldEach {
  /** Count per address; never more than `toldMax` addresses. */
  readonly #told = new Map<string, number>();
  #all = 0;
  #sinceMs = -Infinity;

  /** Whether this request of an address is audited individually. */
  take(holder: string, nowMs: number): boolean {
    // The absolute difference also ends the interval when the clock was set back.
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
