import type { Clock } from '@tappaas/sdk';
import { reconcileErrors } from './errors.js';
import type { HeldLease, LeaseLock } from './lease-lock.js';

/** Time to live of the lease. */
const ttlMs = 15_000;
const renewEveryMs = 5_000;
/** Without a renewal for this long the leader steps down, well before another can take over. */
const renewDeadlineMs = 10_000;
/** How often a standby tries to take the lease, and a leader retries a failed renewal. */
const retryMs = 1_000;
/** Time that `lead` has to end after its term. */
const stopMs = 5_000;

/** The guard that a leader adds to the transaction of every write. */
export interface Fence {
  readonly key: string;
  readonly createRevision: number;
}

/** One period of leadership, from taking the lease to losing it. */
export interface Term {
  /** Aborts when the lease is lost or the leader is stopped. */
  readonly signal: AbortSignal;
  readonly fence: Fence;
}

export interface LeaderOptions {
  /** Name of what is led, for messages. */
  readonly name: string;
  readonly lock: LeaseLock;
  /** Identity of this candidate. */
  readonly holder: string;
  readonly clock: Clock;
  readonly random: () => number;
  /** Does what only a leader may do, until its term ends. */
  readonly lead: (term: Term) => Promise<void>;
  /** Whether the main loop makes progress; while it does not, the lease is not renewed. */
  readonly isAlive?: () => boolean;
  /** Called when `lead` has not ended in time: only ending the process is safe then. */
  readonly onStuck?: () => void;
  readonly onChange?: (isLeading: boolean) => void;
  readonly onError?: (error: unknown) => void;
}

export interface Leader {
  /** Stands by and leads, alternately, until `signal` aborts; then releases the lease so that another can lead immediately. */
  run(signal: AbortSignal): Promise<void>;
  readonly isLeading: boolean;
  /** The fence that writes must carry. @throws TAP_LEADER_LOST */
  fence(): Fence;
}

/**
 * Makes a leader. The lease alone guarantees nothing, since it cannot stop a leader that was frozen while the lease expired. Writes
 * therefore carry the fence, and the store refuses those of a former leader.
 */
export function createLeader(options: LeaderOptions): Leader {
  return new Candidate(options);
}

class Candidate implements Leader {
  readonly #options: LeaderOptions;
  #held: HeldLease | undefined;

  constructor(options: LeaderOptions) {
    this.#options = options;
  }

  get isLeading(): boolean {
    return this.#held !== undefined;
  }

  fence(): Fence {
    if (this.#held) return { key: this.#held.key, createRevision: this.#held.createRevision };
    throw this.#lost('is not led by this replica');
  }

  async run(signal: AbortSignal): Promise<void> {
    const { lock, holder, clock } = this.#options;
    while (!signal.aborted) {
      const renewSentAtMs = clock.nowMs();
      try {
        const lease = await lock.acquire(holder, ttlMs, signal);
        if (lease !== undefined) await this.#serve(lease, renewSentAtMs, signal);
      } catch (error) {
        if (!signal.aborted) this.#options.onError?.(error);
      }
      // With jitter, so that standbys do not try simultaneously.
      await this.#sleep(retryMs * (0.75 + 0.5 * this.#options.random()), signal);
    }
  }

  /** Runs one term: leads and renews until either ends; then releases the lease, unless it is lost or still in use. */
  async #serve(lease: HeldLease, acquiredAtMs: number, stop: AbortSignal): Promise<void> {
    const term = new AbortController();
    const onStop = (): void => term.abort(this.#lost('is no longer led by this replica: it stops'));
    if (stop.aborted) onStop();
    stop.addEventListener('abort', onStop, { once: true });
    this.#held = lease;
    this.#options.onChange?.(true);
    const { key, createRevision } = lease;
    const leading = this.#lead({ signal: term.signal, fence: { key, createRevision } }).finally(() => term.abort());
    const isLost = await this.#keep(lease, acquiredAtMs, term.signal);
    this.#held = undefined;
    stop.removeEventListener('abort', onStop);
    term.abort(this.#lost('is no longer led by this replica: its lease was not renewed'));
    const isStuck = !(await this.#endsInTime(leading));
    this.#options.onChange?.(false);
    if (isStuck) this.#options.onStuck?.();
    else if (!isLost) await this.#options.lock.release(lease);
    // Two concurrent terms in one process would be worse than none.
    await leading;
  }

  async #lead(term: Term): Promise<void> {
    try {
      await this.#options.lead(term);
    } catch (error) {
      if (!term.signal.aborted) this.#options.onError?.(error);
    }
  }

  /** Renews until the term ends (returns false) or the lease is lost (returns true). */
  async #keep(lease: HeldLease, acquiredAtMs: number, term: AbortSignal): Promise<boolean> {
    const { clock, isAlive } = this.#options;
    let renewedAtMs = acquiredAtMs;
    let waitMs = renewEveryMs;
    for (;;) {
      await this.#sleep(Math.min(waitMs, renewedAtMs + renewDeadlineMs - clock.nowMs()), term);
      if (term.aborted) return false;
      // Check before sending anything: after a freeze the lease may belong to another leader.
      const leftMs = renewedAtMs + renewDeadlineMs - clock.nowMs();
      if (leftMs <= 0) return true;
      waitMs = retryMs;
      if (isAlive && !isAlive()) continue;
      const renewSentAtMs = clock.nowMs();
      const renewed = await this.#renew(lease, leftMs, term);
      if (renewed === 'gone') return true;
      if (renewed === 'unknown') continue;
      // Counted from the request, because the time to live began no earlier.
      renewedAtMs = renewSentAtMs;
      waitMs = renewEveryMs;
    }
  }

  /** Takes at most `withinMs`, even if the lock ignores its signal. */
  async #renew(lease: HeldLease, withinMs: number, term: AbortSignal): Promise<'renewed' | 'gone' | 'unknown'> {
    const over = new AbortController();
    const timedOut = this.#sleep(withinMs, AbortSignal.any([over.signal, term])).then(() => {
      over.abort();
      return 'unknown' as const;
    });
    const asked = this.#options.lock.renew(lease, over.signal).then(
      (isHeld) => (isHeld ? ('renewed' as const) : ('gone' as const)),
      (error: unknown) => {
        this.#options.onError?.(error);
        return 'unknown' as const;
      },
    );
    const answer = await Promise.race([asked, timedOut]);
    over.abort();
    return answer;
  }

  async #endsInTime(leading: Promise<void>): Promise<boolean> {
    const over = new AbortController();
    const timedOut = this.#sleep(stopMs, over.signal).then(() => false);
    const ended = await Promise.race([leading.then(() => true), timedOut]);
    over.abort();
    return ended;
  }

  async #sleep(ms: number, signal: AbortSignal): Promise<void> {
    await this.#options.clock.sleep(Math.max(0, ms), signal).catch(() => {});
  }

  #lost(what: string): Error {
    return reconcileErrors.TAP_LEADER_LOST({ message: `${this.#options.name} ${what}` });
  }
}
