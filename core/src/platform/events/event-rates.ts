import type { Clock } from '@tappaas/sdk';
import { TokenBucket, type Rate } from '../../flow/token-bucket.js';

/** Rate of repetitions of the same event: three at once, then one every five minutes. */
const repeats: Rate = { burst: 3, perSecond: 1 / 300 };
/** Rate of all events about one object; more than a single repeated event can use. */
const perObject: Rate = { burst: 50, perSecond: 1 / 60 };
const keptMax = 4_096;

interface Reported {
  readonly bucket: TokenBucket;
  /** Number of occurrences since it was last written. */
  missed: number;
}

/** Rate limits for events per object and per event; the least recently used are dropped first. */
export class EventRates {
  readonly #clock: Clock;
  readonly #events = new Map<string, Reported>();
  readonly #objects = new Map<string, Reported>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Counts an event. Returns the number of occurrences since it was last written if it may be written now, otherwise 0. */
  take(uid: string, event: string): number {
    const [about, same] = [this.#of(this.#objects, uid, perObject), this.#of(this.#events, event, repeats)];
    same.missed += 1;
    if (same.bucket.units < 1 || about.bucket.units < 1) return 0;
    same.bucket.take();
    about.bucket.take();
    const times = same.missed;
    same.missed = 0;
    return times;
  }

  /** Reverts `take` for an event that could not be written: its occurrences count towards the next one, which may follow at once. */
  giveBack(uid: string, event: string, times: number): void {
    if (times === 0) return;
    const [about, same] = [this.#of(this.#objects, uid, perObject), this.#of(this.#events, event, repeats)];
    same.missed += times;
    same.bucket.giveBack();
    about.bucket.giveBack();
  }

  #of(kept: Map<string, Reported>, key: string, rate: Rate): Reported {
    const nowMs = this.#clock.nowMs();
    const reported = kept.get(key) ?? { bucket: new TokenBucket(rate, nowMs), missed: 0 };
    kept.delete(key);
    kept.set(key, reported);
    const [oldest] = kept.keys();
    if (kept.size > keptMax && oldest !== undefined) kept.delete(oldest);
    reported.bucket.refill(nowMs);
    return reported;
  }
}
