import { resourceErrors } from './errors.js';

/** Callers whose keys are counted; the one that used a key longest ago is dropped first. */
const callersMax = 10_000;

/** Counts the records that each tenant, or user without one, has made within the retention time. */
export class KeyCounts {
  readonly #keysMax: number;
  readonly #windowMs: number;
  readonly #counts = new Map<string, { readonly sinceMs: number; keys: number }>();

  constructor(keysMax: number, windowMs: number) {
    this.#keysMax = keysMax;
    this.#windowMs = windowMs;
  }

  /** @throws TAP_REQUEST_KEYS_TOO_MANY */
  check(owner: string, nowMs: number): void {
    const count = this.#counts.get(owner);
    if (count === undefined || count.keys < this.#keysMax) return;
    const retryAfterMs = count.sinceMs + this.#windowMs - nowMs;
    if (retryAfterMs <= 0) return;
    const message = `${owner} has used ${count.keys} idempotency keys since ${new Date(count.sinceMs).toISOString()}, at most ${this.#keysMax} are kept`;
    throw resourceErrors.TAP_REQUEST_KEYS_TOO_MANY({ message, retryAfterMs });
  }

  add(owner: string, nowMs: number): void {
    const known = this.#counts.get(owner);
    const isOver = known === undefined || nowMs - known.sinceMs >= this.#windowMs;
    this.#counts.delete(owner);
    const oldest = this.#counts.size >= callersMax ? this.#counts.keys().next().value : undefined;
    if (oldest !== undefined) this.#counts.delete(oldest);
    this.#counts.set(owner, isOver ? { sinceMs: nowMs, keys: 1 } : { sinceMs: known.sinceMs, keys: known.keys + 1 });
  }
}
