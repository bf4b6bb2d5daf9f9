/** A run that asks to come again sooner than this asks for it at once. */
const atOnceMs = 10;
const delayMsMax = 1_000;

/**
 * Keeps a key whose reconcile asks to run again at once, time after time, from occupying the process: the first such run follows at once,
 * the next ones after 1, 2, 4 … at most 1,000 ms. Without a delay no timer of the process would fire between two runs that wait for no I/O.
 */
export class AgainPace {
  /** Answers of "at once" in a row. A key leaves with its first other outcome, so there are no more of them than keys in the queue. */
  readonly #inARow = new Map<string, number>();

  /** After how long a key that asked for `askedMs` runs again. */
  delayMs(key: string, askedMs: number): number {
    if (askedMs >= atOnceMs) {
      this.forget(key);
      return askedMs;
    }
    const before = this.#inARow.get(key) ?? 0;
    this.#inARow.set(key, before + 1);
    return before === 0 ? askedMs : Math.max(askedMs, Math.min(delayMsMax, 2 ** (before - 1)));
  }

  /** The key's last run ended in another way. */
  forget(key: string): void {
    this.#inARow.delete(key);
  }
}
