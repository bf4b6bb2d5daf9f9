import { countMs, auditedMax, auditedPerAddressMax } from './audit-limits.js';

/** Decides which requests are audited one by one: a limited number per address, and of all addresses, in ten minutes. */
export class AuditSampler {
  /** Count per address; never more than `auditedMax` addresses. */
  readonly #audited = new Map<string, number>();
  #all = 0;
  #sinceMs = -Infinity;

  /** Whether this request of an address is audited individually. */
  take(holder: string, nowMs: number): boolean {
    // The absolute difference also ends the interval when the clock was set back.
    if (Math.abs(nowMs - this.#sinceMs) >= countMs) this.#begin(nowMs);
    const audited = this.#audited.get(holder) ?? 0;
    if (audited >= auditedPerAddressMax || this.#all >= auditedMax) return false;
    this.#audited.set(holder, audited + 1);
    this.#all += 1;
    return true;
  }

  #begin(nowMs: number): void {
    this.#sinceMs = nowMs;
    this.#audited.clear();
    this.#all = 0;
  }
}
