/** Longest time that one look may count for: a machine that slept was not an outage of the platform. */
const lookMsMax = 5000;

/** Adds up how long the platform has not answered. */
export class Outage {
  #ms = 0;
  #lastLookMs: number;
  #lastContactMs: number;

  constructor(nowMs: number) {
    this.#lastLookMs = nowMs;
    this.#lastContactMs = nowMs;
  }

  /** Looks at the time of the last answer. Gives how long the outage has lasted so far, milliseconds. */
  look(nowMs: number, lastContactMs: number): number {
    const passedMs = Math.min(Math.max(0, nowMs - this.#lastLookMs), lookMsMax);
    this.#ms = lastContactMs > this.#lastContactMs ? 0 : this.#ms + passedMs;
    this.#lastLookMs = nowMs;
    this.#lastContactMs = lastContactMs;
    return this.#ms;
  }
}
