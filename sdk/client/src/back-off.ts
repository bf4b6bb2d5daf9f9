/** Time and randomness, passed in so that tests can control them. */
export interface Devices {
  readonly nowMs: () => number;
  /** Rejects when the signal aborts. */
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
  /** A random number from 0 to 1. */
  readonly random: () => number;
}

const firstMs = 250;
const mostMs = 30_000;
/** Upper bound on a requested wait; timers that are set for months fire at once. */
const retryAfterMsMax = 3_600_000;

/** Waits longer after each failure, a random time up to a doubling bound, so that many clients do not retry at the same time. */
export class BackOff {
  readonly #devices: Devices;
  #failures = 0;

  constructor(devices: Devices) {
    this.#devices = devices;
  }

  /** Call it after a success: the next failure counts as the first again. */
  reset(): void {
    this.#failures = 0;
  }

  /**
   * Waits before the next attempt: as long as the server asked for, plus its own random time, since otherwise all clients with the same
   * answer would retry together. Rejects when the signal aborts.
   */
  async wait(signal: AbortSignal, retryAfterMs = 0): Promise<void> {
    const bound = Math.min(mostMs, firstMs * 2 ** this.#failures);
    this.#failures += 1;
    await this.#devices.sleep(Math.min(retryAfterMs, retryAfterMsMax) + bound * (0.5 + this.#devices.random() / 2), signal);
  }
}
