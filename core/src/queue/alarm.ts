import type { Clock } from '@tappaas/sdk';

/** Timers cannot wait longer than 2^31 ms; what is due later is waited for in pieces. */
const sleepMsMax = 2 ** 31 - 1;

/** One wake-up at a time: setting an earlier one replaces it, a later one is ignored until this one has rung. */
export class Alarm {
  readonly #clock: Clock;
  readonly #ring: () => void;
  #armedForMs = Infinity;
  #sleeper: AbortController | undefined;

  constructor(clock: Clock, ring: () => void) {
    this.#clock = clock;
    this.#ring = ring;
  }

  set(dueMs: number): void {
    if (dueMs >= this.#armedForMs) return;
    this.clear();
    this.#armedForMs = dueMs;
    this.#sleeper = new AbortController();
    void this.#sleep(dueMs, this.#sleeper.signal);
  }

  clear(): void {
    this.#sleeper?.abort();
    this.#sleeper = undefined;
    this.#armedForMs = Infinity;
  }

  async #sleep(dueMs: number, signal: AbortSignal): Promise<void> {
    const waitMs = Math.max(0, dueMs - this.#clock.nowMs());
    try {
      await this.#clock.sleep(Math.min(sleepMsMax, waitMs), signal);
    } catch (error) {
      if (!signal.aborted) throw error;
    }
    if (signal.aborted) return;
    this.#sleeper = undefined;
    this.#armedForMs = Infinity;
    this.#ring();
  }
}
