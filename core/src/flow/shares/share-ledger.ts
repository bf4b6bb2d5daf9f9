import type { Clock } from '@tappaas/sdk';
import { steadyClock } from '../../kernel/steady-clock.js';
import { Account } from './account.js';
import type { ShareGrant, ShareReport } from './protocol.js';

/** What is wanted and not there is given out this often as it comes back. */
const giveEveryMs = 20;
export const accountsMax = 100_000;
/** As many are left when there is no more room: not each new one is to look through all of them. */
const accountsKept = 0.99 * accountsMax;

export interface ShareLedgerOptions {
  readonly clock: Clock;
  /** Tells a process. */
  readonly tell: (process: string, grants: readonly ShareGrant[]) => void;
}

const never = new AbortController().signal;

/**
 * The platform's limits, of which each process has a share. What a process wants it is given at once while there is enough; when there is
 * not, what comes back is divided equally among those that want it.
 *
 * @source https://github.com/youtube/doorman, Envoy's rate limit quota service: shares by demand, told now and then
 */
export class ShareLedger {
  readonly #options: ShareLedgerOptions;
  readonly #accounts = new Map<string, Account>();
  readonly #processes = new Set<string>();
  /** Accounts that somebody wants more of, or of which somebody knows too little. */
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
    this.#options.tell(process, grants);
  }

  #made({ key, limit }: ShareReport, nowMs: number): Account {
    if (this.#accounts.size >= accountsMax) this.#forget(nowMs);
    const made = new Account(limit, nowMs, this.#processes);
    this.#accounts.set(key, made);
    return made;
  }

  /** Accounts that are as in the beginning; if those are few, rates that came first start anew. */
  #forget(nowMs: number): void {
    for (const [key, account] of this.#accounts) {
      account.refill(nowMs);
      if (account.isIdle) this.#drop(key);
    }
    for (const [oldest, { limit }] of this.#accounts) {
      if (this.#accounts.size <= accountsKept) break;
      if (limit.perSecond > 0) this.#drop(oldest);
    }
  }

  #drop(key: string): void {
    this.#accounts.delete(key);
    this.#open.delete(key);
  }

  #grant(key: string, account: Account, process: string, granted: number): ShareGrant {
    account.told(process);
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
    const told = new Map<string, ShareGrant[]>();
    for (const [key, account] of this.#open) {
      account.refill(nowMs);
      const granted = account.grants();
      for (const process of account.processes) {
        const units = granted.get(process) ?? 0;
        if (units === 0 && !account.isNews(process) && account.fairFor(process) === undefined) continue;
        const grants = told.get(process) ?? [];
        grants.push(this.#grant(key, account, process, units));
        told.set(process, grants);
      }
      if (!account.isWanted) this.#open.delete(key);
    }
    for (const [process, grants] of told) this.#options.tell(process, grants);
  }
}
