/** A requested delay below this counts as an immediate re-run. */
const atOnceMs = 10;
const delayMsMax = 1_000;

/** Whether a requested delay counts as an immediate re-run. */
export const isAtOnce = (requestedDelayMs: number): boolean => requestedDelayMs < atOnceMs;

/**
 * Prevents a key whose reconcile repeatedly requests an immediate re-run from monopolizing the process: the first re-run is immediate, the
 * next ones follow after 1, 2, 4 … at most 1,000 ms. Without a delay, runs that wait for no I/O would let no timer of the process fire.
 */
export class AgainPace {
  /** Consecutive immediate re-runs per key. Any other outcome removes the key, so there are never more entries than keys in the queue. */
  readonly #inARow = new Map<string, number>();

  /** Returns the delay until a key that requested `requestedDelayMs` runs again. */
  delayMs(key: string, requestedDelayMs: number): number {
    if (!isAtOnce(requestedDelayMs)) {
      this.forget(key);
      return requestedDelayMs;
    }
    const before = this.#inARow.get(key) ?? 0;
    this.#inARow.set(key, before + 1);
    return before === 0 ? requestedDelayMs : Math.max(requestedDelayMs, Math.min(delayMsMax, 2 ** (before - 1)));
  }

  /** Resets a key whose last run had another outcome. */
  forget(key: string): void {
    this.#inARow.delete(key);
  }
}
