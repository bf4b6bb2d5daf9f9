/** Maximum time that one check adds: while the machine slept, the platform was not down. */
const lookMsMax = 5000;

/** Measures how long the platform has not responded. */
export class Outage {
  #ms = 0;
  #lastLookMs: number;
  #lastContactMs: number;

  constructor(nowMs: number) {
    this.#lastLookMs = nowMs;
    this.#lastContactMs = nowMs;
  }

  /** Call regularly, with the time of the last response. Returns the length of the outage so far, milliseconds. */
  look(nowMs: number, lastContactMs: number): number {
    const passedMs = Math.min(Math.max(0, nowMs - this.#lastLookMs), lookMsMax);
    this.#ms = lastContactMs > this.#lastContactMs ? 0 : this.#ms + passedMs;
    this.#lastLookMs = nowMs;
    this.#lastContactMs = lastContactMs;
    return this.#ms;
  }
}
