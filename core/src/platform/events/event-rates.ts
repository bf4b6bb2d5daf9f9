import type { Clock } from '@tappaas/sdk';
import { TokenBucket, type Rate } from '../../flow/token-bucket.js';

/** How often the same is said again: three times at once, then every five minutes. */
const repeats: Rate = { burst: 3, perSecond: 1 / 300 };
/** How much is said of one object, whatever it is; more than what repeats itself ever takes. */
const perObject: Rate = { burst: 50, perSecond: 1 / 60 };
const keptMax = 4_096;

interface Said {
  readonly bucket: TokenBucket;
  /** Times that it was not written since it was last. */
  missed: number;
}

/** How much is said of each object; of whom nothing was said for longest is forgotten first. */
export class EventRates {
  readonly #clock: Clock;
  readonly #events = new Map<string, Said>();
  readonly #objects = new Map<string, Said>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** How often an event has happened that may be written now, since it was written last; 0: it may not. */
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

  /** What was taken could not be written: it counts into what is written next, which may be written as soon as this might have been. */
  giveBack(uid: string, event: string, times: number): void {
    if (times === 0) return;
    const [about, same] = [this.#of(this.#objects, uid, perObject), this.#of(this.#events, event, repeats)];
    same.missed += times;
    same.bucket.giveBack();
    about.bucket.giveBack();
  }

  #of(kept: Map<string, Said>, key: string, rate: Rate): Said {
    const nowMs = this.#clock.nowMs();
    const said = kept.get(key) ?? { bucket: new TokenBucket(rate, nowMs), missed: 0 };
    kept.delete(key);
    kept.set(key, said);
    const [oldest] = kept.keys();
    if (kept.size > keptMax && oldest !== undefined) kept.delete(oldest);
    said.bucket.refill(nowMs);
    return said;
  }
}
