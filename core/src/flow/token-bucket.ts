import type { Bucket } from './bucket.js';

/** A rate limit: requests per second, and the burst allowed after a pause. */
export interface Rate {
  readonly perSecond: number;
  readonly burst: number;
}

/** A token bucket: units are refilled at a steady rate up to a burst; it starts full. */
export class TokenBucket implements Bucket {
  readonly isForgotten = false;
  #rate: Rate;
  #units: number;
  #atMs: number;

  constructor(rate: Rate, nowMs: number) {
    this.#rate = rate;
    this.#units = rate.burst;
    this.#atMs = nowMs;
  }

  get rate(): Rate {
    return this.#rate;
  }

  /** Changes the rate; units already taken stay taken. */
  change(rate: Rate, nowMs: number): void {
    this.refill(nowMs);
    this.#rate = rate;
    this.#units = Math.min(this.#units, rate.burst);
  }

  refill(nowMs: number): void {
    if (nowMs <= this.#atMs) return;
    this.#units = Math.min(this.#rate.burst, this.#units + ((nowMs - this.#atMs) * this.#rate.perSecond) / 1000);
    this.#atMs = nowMs;
  }

  /** Whole units, as of the last refill. */
  get units(): number {
    return Math.floor(this.#units);
  }

  get left(): number {
    return this.units;
  }

  get isIdle(): boolean {
    return this.#units >= this.#rate.burst;
  }

  take(): void {
    this.#units -= 1;
  }

  /** Returns a unit that was not used. */
  giveBack(): void {
    this.#units = Math.min(this.#rate.burst, this.#units + 1);
  }

  want(): void {}

  /** Returns how long until `units` are available if none are taken meanwhile. */
  waitMs(units: number): number {
    return Math.max(0, ((units - this.#units) * 1000) / this.#rate.perSecond);
  }

  /** Whole seconds until the bucket is full. */
  get fullInSeconds(): number {
    return Math.ceil((this.#rate.burst - this.#units) / this.#rate.perSecond);
  }
}
