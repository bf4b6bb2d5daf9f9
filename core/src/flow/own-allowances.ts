import type { Allowances, Seats } from './bucket.js';
import { TokenBucket } from './token-bucket.js';

/** Limits of this process alone. */
export const ownAllowances: Allowances = {
  isShared: false,
  rate: (_key, rate, nowMs) => new TokenBucket(rate, nowMs),
  seats: (_key, max) => new OwnSeats(max),
  onMore: () => undefined,
};

/** Seats of this process alone. */
class OwnSeats implements Seats {
  readonly max: number;
  readonly isForgotten = false;
  used = 0;

  constructor(max: number) {
    this.max = max;
  }

  get isFree(): boolean {
    return this.used < this.max;
  }

  get isIdle(): boolean {
    return this.used === 0;
  }

  take(): void {
    this.used += 1;
  }

  give(): void {
    this.used -= 1;
  }

  want(): void {}

  obtain(): boolean {
    if (!this.isFree) return false;
    this.used += 1;
    return true;
  }
}
