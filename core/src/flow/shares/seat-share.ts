import type { Clock } from '@tappaas/sdk';
import type { Seats } from '../bucket.js';
import type { Limit, ShareGrant, ShareReport } from './protocol.js';
import type { ShareKeeper } from './share-keeper.js';

/** How long a report about waiters in other processes is valid; it is repeated as long as they wait. */
const fairMsMax = 250;
/** How long to wait for a seat from another process; by then the process that would grant it counts as gone. */
const answerMsMax = 1_100;

/** This process's share of the seats that several processes have in common. */
export class SeatShare implements Seats {
  readonly key: string;
  readonly #keeper: ShareKeeper;
  readonly #clock: Clock;
  readonly #limit: Limit;
  #held: number;
  #used = 0;
  /** Most seats in use at a time since the last report. */
  #peak = 0;
  #waiting = 0;
  #isNew = true;
  /** The number of wanted seats that was last reported to the keeper of the whole. */
  #wanted = 0;
  #fair: { readonly seats: number; readonly untilMs: number } | undefined;
  /** Requests for a seat that wait for the next report (`#demanded`), or for the response to the last one (`#reported`). */
  #demanded = new Set<() => void>();
  #reported = new Set<() => void>();
  isForgotten = false;

  constructor(key: string, { max, start }: Pick<Limit, 'max' | 'start'>, clock: Clock, keeper: ShareKeeper) {
    this.key = key;
    this.#keeper = keeper;
    this.#clock = clock;
    this.#limit = { max, perSecond: 0, start, atMs: 0 };
    this.#held = start;
  }

  get used(): number {
    return this.#used;
  }

  get max(): number {
    return this.#limit.max;
  }

  get isFree(): boolean {
    return this.#fair === undefined && this.#used < this.#held ? true : this.#used < this.#allowed();
  }

  get isQuiet(): boolean {
    return this.#waiting === 0 && this.#wanted === 0 && this.#peak === this.#used && this.#held <= this.#needed(this.#used);
  }

  get isIdle(): boolean {
    return (
      this.#used === 0 && this.#wanted === 0 && this.#held === this.#limit.start && this.#demanded.size === 0 && this.#reported.size === 0
    );
  }

  take(): void {
    this.#used += 1;
    this.#peak = Math.max(this.#peak, this.#used);
    if (this.#used > this.#limit.start) this.#keeper.changed(this);
  }

  give(): void {
    this.#used -= 1;
    if (this.#held > this.#limit.start) this.#keeper.changed(this);
  }

  want(seats: number): void {
    this.#waiting = seats;
    this.#keeper.ask(this);
  }

  obtain(): boolean | Promise<boolean> {
    if (!this.isFree || this.#isSpokenFor) return this.#obtainElsewhere();
    this.take();
    return true;
  }

  /** True while granted seats are reserved for waiters whose grant has not arrived; new requests must ask for a seat of their own. */
  get #isSpokenFor(): boolean {
    const waiting = this.#demanded.size + this.#reported.size;
    return waiting > 0 && this.#held - this.#used <= waiting && !this.#keeper.isAlone(this.#clock.nowMs());
  }

  #obtainElsewhere(): Promise<boolean> {
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const over = new AbortController();
    // The seat is taken at once: otherwise the next report would count it as free for the next request.
    const answer = (): void => {
      if (over.signal.aborted) return;
      over.abort();
      this.#demanded.delete(answer);
      const { isFree } = this;
      if (isFree) this.take();
      resolve(isFree);
    };
    this.#demanded.add(answer);
    this.#waiting = this.#demanded.size;
    this.#keeper.ask(this);
    void this.#clock.sleep(answerMsMax, over.signal).then(answer, () => undefined);
    return promise;
  }

  /**
   * Gives back seats beyond the recent peak. A few more than are in use are kept, so that not every seat must be asked for, unless other
   * processes wait. Seats that no process has from the start are never kept unused: another process might be refused for want of it.
   */
  report(isInterval: boolean): ShareReport | undefined {
    const { start } = this.#limit;
    const fair = this.#fairNow();
    const demanded = this.#used + this.#waiting;
    const kept = fair === undefined ? this.#needed(Math.max(this.#peak, demanded)) : Math.max(this.#used, start, Math.min(demanded, fair));
    const given = isInterval || fair !== undefined ? Math.max(0, this.#held - kept) : 0;
    this.#held -= given;
    const wanted = this.#waiting > 0 ? Math.max(0, kept - this.#held) : 0;
    if (isInterval) this.#peak = this.#used;
    this.#waiting = 0;
    if (given === 0 && wanted === this.#wanted && this.#demanded.size === 0) return undefined;
    for (const answer of this.#demanded) this.#reported.add(answer);
    this.#demanded.clear();
    this.#wanted = wanted;
    const report = { key: this.key, limit: this.#limit, isNew: this.#isNew, taken: 0, given, wanted };
    this.#isNew = false;
    return report;
  }

  granted({ granted, fair }: ShareGrant, nowMs: number): void {
    this.#held += granted;
    this.#wanted = Math.max(0, this.#wanted - granted);
    this.#fair = fair === undefined ? undefined : { seats: fair, untilMs: nowMs + fairMsMax };
    if (this.#held > this.#limit.start) this.#keeper.changed(this);
  }

  acknowledged(): void {
    const answers = [...this.#reported];
    this.#reported.clear();
    for (const answer of answers) answer();
  }

  #needed(used: number): number {
    const { start } = this.#limit;
    return start === 0 ? used : Math.max(start, used + Math.ceil(used / 4));
  }

  #allowed(): number {
    const fair = this.#fairNow();
    if (fair !== undefined) return Math.max(this.#limit.start, Math.min(this.#held, fair));
    return this.#keeper.isAlone(this.#clock.nowMs())
      ? Math.max(this.#held, Math.floor(this.#limit.max / this.#keeper.processes))
      : this.#held;
  }

  #fairNow(): number | undefined {
    if (this.#fair !== undefined && this.#fair.untilMs <= this.#clock.nowMs()) this.#fair = undefined;
    return this.#fair?.seats;
  }
}
