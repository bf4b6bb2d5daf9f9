import type { Clock } from '@tappaas/sdk';
import { steadyClock } from '../../kernel/steady-clock.js';
import type { Allowances, Bucket, Seats } from '../bucket.js';
import type { Rate } from '../token-bucket.js';
import { startOf, type ShareGrant, type ShareReport } from './protocol.js';
import { RateShare } from './rate-share.js';
import { SeatShare } from './seat-share.js';
import type { Share, ShareKeeper } from './share-keeper.js';

/** Interval of reports about changes; requests for waiters are sent at once. */
export const reportEveryMs = 50;
export const sharesMax = 50_000;
/** Number kept when the limit is reached, so that not every new share scans all of them. */
const sharesRetained = 0.99 * sharesMax;
const reportsMax = 5_000;
/** A peer that has not responded for this long counts as unavailable. */
export const awayMs = 1_000;

export interface ShareBookOptions {
  readonly clock: Clock;
  /** Number of processes that share the limits. */
  readonly processes: number;
  /** Sends reports; resolves when they have been received. Grants arrive separately. */
  readonly send: (reports: readonly ShareReport[]) => Promise<unknown>;
}

const never = new AbortController().signal;

/**
 * This process's shares of the platform's limits. Requests take from the local share; one message per interval reports what was taken from
 * all shares and brings what is needed next. Only one report is in flight at a time.
 */
export class ShareBook implements Allowances, ShareKeeper {
  readonly isShared = true;
  readonly processes: number;
  readonly #options: ShareBookOptions;
  readonly #rates = new Map<string, RateShare>();
  readonly #seats = new Map<string, SeatShare>();
  readonly #changed = new Set<Share>();
  readonly #asking = new Set<Share>();
  #more: () => void = () => undefined;
  #isTicking = false;
  #isAsking = false;
  /** When the report in flight was sent. */
  #sentAtMs: number | undefined;

  constructor(options: ShareBookOptions) {
    this.#options = { ...options, clock: steadyClock(options.clock) };
    this.processes = options.processes;
  }

  get size(): number {
    return this.#rates.size + this.#seats.size;
  }

  onMore(listener: () => void): void {
    this.#more = listener;
  }

  rate(key: string, rate: Rate, nowMs: number): Bucket {
    const known = this.#rates.get(key);
    if (known === undefined) return this.#keep(this.#rates, new RateShare(key, rate, nowMs, this));
    if (known.rate.perSecond !== rate.perSecond || known.rate.burst !== rate.burst) known.change(rate, nowMs);
    return known;
  }

  seats(key: string, max: number, isStrict: boolean): Seats {
    const start = isStrict ? 0 : startOf(max, this.processes);
    return this.#seats.get(key) ?? this.#keep(this.#seats, new SeatShare(key, { max, start }, this.#options.clock, this));
  }

  changed(share: Share): void {
    this.#changed.add(share);
    if (!this.#isTicking) void this.#tick();
  }

  ask(share: Share): void {
    this.changed(share);
    this.#asking.add(share);
    if (this.#isAsking) return;
    this.#isAsking = true;
    // Combines the requests of this turn into one report.
    queueMicrotask(() => {
      this.#isAsking = false;
      this.#report(this.#asking, false);
    });
  }

  isAlone(nowMs: number): boolean {
    return this.#sentAtMs !== undefined && nowMs - this.#sentAtMs > awayMs;
  }

  granted(grants: readonly ShareGrant[]): void {
    const nowMs = this.#options.clock.nowMs();
    for (const grant of grants) {
      const { key, limit } = grant;
      const isRate = limit.perSecond > 0;
      const known = isRate ? this.#rates.get(key) : this.#seats.get(key);
      // Other processes use this limit, so that later requests here know how much is left.
      const rate = { perSecond: limit.perSecond, burst: limit.max };
      if (known === undefined && isRate) this.#keep(this.#rates, new RateShare(key, rate, nowMs, this)).granted(grant, nowMs);
      else known?.granted(grant, nowMs);
    }
    this.#more();
  }

  async #tick(): Promise<void> {
    this.#isTicking = true;
    while (this.#changed.size > 0) {
      await this.#options.clock.sleep(reportEveryMs, never);
      this.#report(this.#changed, true);
    }
    this.#isTicking = false;
  }

  #report(shares: Set<Share>, isInterval: boolean): void {
    if (this.#sentAtMs !== undefined || shares.size === 0) return;
    const reports: ShareReport[] = [];
    const reported: Share[] = [];
    for (const share of [...shares].slice(0, reportsMax)) {
      shares.delete(share);
      const report = share.report(isInterval);
      if (report !== undefined) {
        reports.push(report);
        reported.push(share);
      }
      // Queue it behind the shares that did not fit.
      if (isInterval && !share.isQuiet) shares.add(share);
    }
    if (reports.length === 0) return;
    this.#sentAtMs = this.#options.clock.nowMs();
    const acknowledged = (): void => {
      this.#sentAtMs = undefined;
      for (const share of reported) share.acknowledged();
      this.#report(this.#asking, false);
    };
    // A failed report was received nevertheless, or the process is ending; reporting it again would count it twice.
    this.#options.send(reports).then(acknowledged, acknowledged);
  }

  #keep<S extends Share>(kept: Map<string, S>, share: S): S {
    if (this.size >= sharesMax) this.#forget();
    kept.set(share.key, share);
    return share;
  }

  /** Drops shares without state; if that frees too little, the oldest rates start over. */
  #forget(): void {
    for (const kept of [this.#rates, this.#seats]) for (const share of kept.values()) if (share.isIdle) this.#drop(kept, share);
    for (const oldest of this.#rates.values()) {
      if (this.size <= sharesRetained) break;
      this.#drop(this.#rates, oldest);
    }
  }

  #drop(kept: Map<string, Share>, share: Share): void {
    share.isForgotten = true;
    kept.delete(share.key);
    this.#changed.delete(share);
    this.#asking.delete(share);
  }
}
