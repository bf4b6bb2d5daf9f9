/** Time and chance, handed in so that tests can hold them. */
export interface Devices {
  readonly nowMs: () => number;
  /** Rejects when the signal aborts. */
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
  /** Between 0 and 1. */
  readonly random: () => number;
}

const firstMs = 250;
const mostMs = 30_000;
/** Longer than this nobody is kept waiting; timers that are set for months fire at once. */
const askedMsMax = 3_600_000;

/** Waits longer after each failure, at random up to a doubling bound, so that many clients do not come back at once. */
export class BackOff {
  readonly #devices: Devices;
  #failures = 0;

  constructor(devices: Devices) {
    this.#devices = devices;
  }

  /** Something worked: the next failure is the first again. */
  reset(): void {
    this.#failures = 0;
  }

  /**
   * Waits before the next try: as long as the other side asked for, and its own time after that, or all who were told the same would come
   * back together. Rejects when the signal aborts.
   */
  async wait(signal: AbortSignal, askedMs = 0): Promise<void> {
    const bound = Math.min(mostMs, firstMs * 2 ** this.#failures);
    this.#failures += 1;
    await this.#devices.sleep(Math.min(askedMs, askedMsMax) + bound * (0.5 + this.#devices.random() / 2), signal);
  }
}
