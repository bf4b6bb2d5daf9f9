import type { Bucket } from '../bucket.js';
import type { Rate } from '../token-bucket.js';
import { isSameLimit, startOf, type Limit, type ShareGrant, type ShareReport } from './protocol.js';
import type { ShareKeeper } from './share-keeper.js';

/** Approximate time that a response takes. */
const answerMs = 5;

/** This process's share of a rate: the units granted to it, and what is known about the rest. */
export class RateShare implements Bucket {
  readonly key: string;
  readonly #keeper: ShareKeeper;
  #limit: Limit;
  #stock: number;
  #nowMs: number;
  /** Taken since the last report. */
  #taken = 0;
  /** Reported but not yet answered. */
  #reported = 0;
  /** Given up but not yet reported. */
  #returned = 0;
  /** Taken in this interval, and in recent ones with exponential decay. */
  #inInterval = 0;
  #recent = 0;
  #waiting = 0;
  #isNew = true;
  /** The wanted amount that was last reported and not yet granted. */
  #wanted = 0;
  #lastReport: { left: number; atMs: number; part: number };
  isForgotten = false;

  constructor(key: string, rate: Rate, nowMs: number, keeper: ShareKeeper) {
    this.key = key;
    this.#keeper = keeper;
    this.#limit = limitOf(rate, keeper.processes, nowMs);
    this.#stock = this.#limit.start;
    this.#nowMs = nowMs;
    this.#lastReport = { left: rate.burst, atMs: nowMs, part: 1 };
  }

  get rate(): Rate {
    return { perSecond: this.#limit.perSecond, burst: this.#limit.max };
  }

  get units(): number {
    return Math.floor(this.#stock);
  }

  get left(): number {
    return Math.max(0, Math.floor(this.#left));
  }

  get fullInSeconds(): number {
    return Math.ceil((this.#limit.max - this.#left) / this.#limit.perSecond);
  }

  get isQuiet(): boolean {
    const isUnused = this.#taken === 0 && this.#inInterval === 0 && this.#recent === 0 && this.#returned === 0;
    const missing = Math.max(0, Math.ceil(this.#limit.start - this.#stock));
    return isUnused && this.#surplus(this.#limit.start) === 0 && this.#wanted <= missing;
  }

  get isIdle(): boolean {
    return this.isQuiet && this.#wanted === 0 && this.#reported === 0 && this.#stock === this.#limit.start;
  }

  change(rate: Rate, nowMs: number): void {
    this.refill(nowMs);
    this.#follow(limitOf(rate, this.#keeper.processes, nowMs));
  }

  /** Units come from the process that keeps the whole; while it does not respond, this process refills its part of the rate itself. */
  refill(nowMs: number): void {
    if (nowMs <= this.#nowMs) return;
    const { processes } = this.#keeper;
    if (this.#keeper.isAlone(nowMs)) {
      const more = ((nowMs - this.#nowMs) * this.#limit.perSecond) / (1000 * processes);
      this.#stock = Math.max(this.#stock, Math.min(this.#limit.max / processes, this.#stock + more));
    }
    this.#nowMs = nowMs;
  }

  take(): void {
    this.#stock -= 1;
    this.#taken += 1;
    this.#inInterval += 1;
    if (this.#taken === 1) this.#keeper.changed(this);
    if (this.#stock < Math.max(1, this.#limit.start / 2) && this.#wanted === 0) this.#keeper.ask(this);
  }

  want(units: number): void {
    this.#waiting = units;
    if (this.#wanted === 0) this.#keeper.ask(this);
    else this.#keeper.changed(this);
  }

  waitMs(units: number): number {
    const missing = units - this.#stock;
    if (missing <= 0) return 0;
    const coming = missing - Math.max(0, this.#left);
    return coming <= 0 ? answerMs : (coming * 1000) / (this.#limit.perSecond * this.#lastReport.part);
  }

  /** Reports the share. It keeps enough for two such intervals and for waiters, and never less than the initial amount. */
  report(isInterval: boolean): ShareReport | undefined {
    const { start, max } = this.#limit;
    const lately = Math.max(this.#inInterval, this.#recent);
    if (isInterval) {
      this.#recent = Math.max(this.#inInterval, Math.floor(this.#recent / 2));
      this.#inInterval = 0;
    }
    const needed = Math.min(max, Math.max(start, 2 * lately + this.#waiting));
    const surplus = this.#surplus(needed);
    const returned = isInterval && (this.#recent === 0 || surplus > needed / 2) ? surplus : 0;
    this.#stock -= returned;
    const given = this.#returned + returned;
    const wanted = Math.max(0, Math.ceil(needed - this.#stock));
    this.#waiting = 0;
    if (this.#taken === 0 && given === 0 && wanted === this.#wanted) return undefined;
    const report = { key: this.key, limit: this.#limit, isNew: this.#isNew, taken: this.#taken, given, wanted };
    this.#isNew = false;
    this.#wanted = wanted;
    this.#reported += this.#taken;
    this.#taken = 0;
    this.#returned = 0;
    return report;
  }

  granted({ limit, granted, left, part }: ShareGrant, nowMs: number): void {
    this.#stock += granted;
    this.#wanted = Math.max(0, this.#wanted - granted);
    this.#reported = 0;
    this.#lastReport = { left, atMs: nowMs, part: Math.max(part, 1 / this.#keeper.processes) };
    this.refill(nowMs);
    if (limit.atMs > this.#limit.atMs) this.#follow(limit);
    // A grant that arrived too late is returned.
    if (!this.isQuiet) this.#keeper.changed(this);
  }

  acknowledged(): void {}

  #surplus(needed: number): number {
    return Math.max(0, Math.floor(this.#stock - needed));
  }

  /** Returns what was granted under another limit, because only the keeper of the whole knows its current value. */
  #follow(next: Limit): void {
    const isSame = isSameLimit(next, this.#limit);
    const left = Math.min(this.#left + this.#taken + this.#reported, next.max);
    this.#limit = next;
    if (isSame) return;
    this.#lastReport = { ...this.#lastReport, left, atMs: this.#nowMs };
    if (this.#isNew) this.#stock = Math.max(0, next.start - this.#taken);
    const surplus = this.#surplus(this.#limit.start);
    this.#stock -= surplus;
    this.#returned += surplus;
    this.#keeper.ask(this);
  }

  get #left(): number {
    const { left, atMs } = this.#lastReport;
    const back = (Math.max(0, this.#nowMs - atMs) * this.#limit.perSecond) / 1000;
    return Math.min(this.#limit.max, left + back) - this.#reported - this.#taken;
  }
}

function limitOf({ perSecond, burst }: Rate, processes: number, atMs: number): Limit {
  return { max: burst, perSecond, start: startOf(burst, processes), atMs };
}
