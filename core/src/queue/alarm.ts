import type { Clock } from '@tappaas/sdk';

/** Timers are limited to 2^31 ms; longer waits are split. */
const sleepMsMax = 2 ** 31 - 1;

/** A single pending wake-up: setting an earlier one replaces it, a later one is ignored until it has fired. */
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
