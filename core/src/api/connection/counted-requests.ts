import { type Clock, platformEngine } from '@tappaas/sdk';
import type { Audit, AuditedOutcome } from '../../ports/audit.js';
import { countAnnotation, countMs, countsMax } from './audit-limits.js';

/** The outcome that the requests of a count share. */
export type CountedOutcome = Pick<AuditedOutcome, 'status' | 'errorCode'>;

/** A count that is not audited yet. */
interface Count {
  requests: number;
  readonly sinceMs: number;
  readonly holder: string;
  readonly outcome: CountedOutcome;
}

const elsewhere = '';

/**
 * Audits requests as counts, one event per address and status: ten minutes after the first request, and at shutdown. A count that no sink
 * accepts is added to the next one.
 */
export class CountedRequests {
  /** Verb of the audit events. */
  readonly #verb: string;
  readonly #audit: Audit;
  readonly #clock: Clock;
  readonly #counts = new Map<string, Count>();
  readonly #over = new AbortController();
  #made = 0;
  #waits = false;

  constructor(verb: string, audit: Audit, clock: Clock) {
    this.#verb = verb;
    this.#audit = audit;
    this.#clock = clock;
  }

  count(holder: string, outcome: CountedOutcome, sinceMs = this.#clock.nowMs(), requests = 1): void {
    const own = `${outcome.status} ${holder}`;
    const isApart = this.#counts.has(own) || this.#counts.size < countsMax;
    const key = isApart ? own : `${outcome.status} ${elsewhere}`;
    const count = this.#counts.get(key) ?? { requests: 0, sinceMs, holder: isApart ? holder : elsewhere, outcome };
    count.requests += requests;
    this.#counts.set(key, count);
    if (!this.#waits) void this.#tellLater();
  }

  /** Audits the counts so far, and stops waiting for more. */
  async stop(): Promise<void> {
    this.#over.abort();
    await this.#tell();
  }

  async #tellLater(): Promise<void> {
    this.#waits = true;
    await this.#clock.sleep(countMs, this.#over.signal).catch(() => {});
    this.#waits = false;
    if (!this.#over.signal.aborted) await this.#tell();
  }

  async #tell(): Promise<void> {
    const counts = [...this.#counts.values()];
    this.#counts.clear();
    for (const count of counts) await this.#tellCount(count);
  }

  async #tellCount({ holder, outcome, requests, sinceMs }: Count): Promise<void> {
    const nowMs = this.#clock.nowMs();
    const request = { method: '', path: '*', query: '', engine: platformEngine, verb: this.#verb, userAgent: '' };
    const requestId = `strangers-${this.#verb}-${nowMs.toString(36)}-${(this.#made += 1)}`;
    try {
      const trail = await this.#audit({ ...request, requestId, receivedAtMs: sinceMs, remoteAddress: holder });
      const annotations = new Map([
        [countAnnotation, String(requests)],
        ['tappaas.dev/since', new Date(sinceMs).toISOString()],
      ]);
      await trail.end({ ...outcome, durationMs: nowMs - sinceMs, annotations });
    } catch {
      this.count(holder, outcome, sinceMs, requests);
    }
  }
}
