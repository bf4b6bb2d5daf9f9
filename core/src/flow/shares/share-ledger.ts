import type { Clock } from '@tappaas/sdk';
import { steadyClock } from '../../kernel/steady-clock.js';
import { Account } from './account.js';
import type { ShareGrant, ShareReport } from './protocol.js';

/** Interval in which refilled units are distributed to waiting processes. */
const giveEveryMs = 20;
export const accountsMax = 100_000;
/** Number kept when the limit is reached, so that not every new account scans all of them. */
const accountsRetained = 0.99 * accountsMax;

export interface ShareLedgerOptions {
  readonly clock: Clock;
  /** Sends grants to a process. */
  readonly sendGrants: (process: string, grants: readonly ShareGrant[]) => void;
}

const never = new AbortController().signal;

/**
 * The platform's limits, of which each process has a share. What a process wants is granted at once while there is enough; otherwise
 * refilled units are divided equally among the processes that want them.
 *
 * @source https://github.com/youtube/doorman, Envoy's rate limit quota service: shares by demand, with periodic reports
 */
export class ShareLedger {
  readonly #options: ShareLedgerOptions;
  readonly #accounts = new Map<string, Account>();
  readonly #processes = new Set<string>();
  /** Accounts of which a process wants more, or about which a process must be notified. */
  readonly #open = new Map<string, Account>();
  #isGiving = false;

  constructor(options: ShareLedgerOptions) {
    this.#options = { ...options, clock: steadyClock(options.clock) };
  }

  get size(): number {
    return this.#accounts.size;
  }

  join(process: string): void {
    this.#processes.add(process);
    for (const account of this.#accounts.values()) account.join(process);
  }

  leave(process: string): void {
    this.#processes.delete(process);
    for (const [key, account] of this.#accounts) {
      account.leave(process);
      if (account.isWanted) this.#look(key, account);
    }
  }

  report(process: string, reports: readonly ShareReport[]): void {
    const nowMs = this.#options.clock.nowMs();
    const grants: ShareGrant[] = [];
    for (const report of reports) {
      const { key } = report;
      const account = this.#accounts.get(key) ?? this.#made(report, nowMs);
      account.report(process, report, nowMs);
      const granted = account.isContended ? 0 : (account.grants(process).get(process) ?? 0);
      grants.push(this.#grant(key, account, process, granted));
      this.#look(key, account);
    }
    this.#options.sendGrants(process, grants);
  }

  #made({ key, limit }: ShareReport, nowMs: number): Account {
    if (this.#accounts.size >= accountsMax) this.#forget(nowMs);
    const made = new Account(limit, nowMs, this.#processes);
    this.#accounts.set(key, made);
    return made;
  }

  /** Drops accounts in the initial state; if those are too few, the oldest rates start over. */
  #forget(nowMs: number): void {
    for (const [key, account] of this.#accounts) {
      account.refill(nowMs);
      if (account.isIdle) this.#drop(key);
    }
    for (const [oldest, { limit }] of this.#accounts) {
      if (this.#accounts.size <= accountsRetained) break;
      if (limit.perSecond > 0) this.#drop(oldest);
    }
  }

  #drop(key: string): void {
    this.#accounts.delete(key);
    this.#open.delete(key);
  }

  #grant(key: string, account: Account, process: string, granted: number): ShareGrant {
    account.reported(process);
    const { limit, left } = account;
    const fair = account.fairFor(process);
    return { key, limit, granted, left, part: account.partOf(process), ...(fair !== undefined && { fair }) };
  }

  #look(key: string, account: Account): void {
    this.#open.set(key, account);
    if (!this.#isGiving) void this.#give();
  }

  async #give(): Promise<void> {
    this.#isGiving = true;
    while (this.#open.size > 0) {
      await this.#options.clock.sleep(giveEveryMs, never);
      this.#giveOut();
    }
    this.#isGiving = false;
  }

  #giveOut(): void {
    const nowMs = this.#options.clock.nowMs();
    const reported = new Map<string, ShareGrant[]>();
    for (const [key, account] of this.#open) {
      account.refill(nowMs);
      const granted = account.grants();
      for (const process of account.processes) {
        const units = granted.get(process) ?? 0;
        if (units === 0 && !account.isNews(process) && account.fairFor(process) === undefined) continue;
        const grants = reported.get(process) ?? [];
        grants.push(this.#grant(key, account, process, units));
        reported.set(process, grants);
      }
      if (!account.isWanted) this.#open.delete(key);
    }
    for (const [process, grants] of reported) this.#options.sendGrants(process, grants);
  }
}
