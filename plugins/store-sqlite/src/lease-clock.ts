import { storeErrors, type Clock, type Lease } from '@tappaas/sdk';

interface Running extends Lease {
  readonly ended: AbortController;
  expiresAtMs: number;
}

const retryMs = 1_000;

/**
 * Measures the time to live of leases. Renewals are not stored: after a restart the time of every lease restarts, so none ends early.
 *
 * `end` deletes a lease and its keys durably; it is retried until it succeeds.
 */
export class LeaseClock {
  readonly #clock: Clock;
  readonly #end: (id: string) => Promise<void>;
  readonly #running = new Map<string, Running>();
  #closed = new AbortController();

  constructor(clock: Clock, end: (id: string) => Promise<void>) {
    this.#clock = clock;
    this.#end = end;
  }

  start(lease: Lease): void {
    const running = { ...lease, ended: new AbortController(), expiresAtMs: this.#clock.nowMs() + lease.ttlMs };
    this.#running.set(lease.id, running);
    void this.#measure(running);
  }

  /** @throws TAP_STORE_LEASE_GONE */
  renew(id: string): void {
    const running = this.#running.get(id);
    if (running === undefined) throw storeErrors.TAP_STORE_LEASE_GONE({ message: `lease ${id} has ended` });
    running.expiresAtMs = this.#clock.nowMs() + running.ttlMs;
  }

  stop(id: string): void {
    this.#running.get(id)?.ended.abort();
    this.#running.delete(id);
  }

  /** Replaces all leases by these. */
  replace(leases: readonly Lease[]): void {
    this.close();
    this.#closed = new AbortController();
    for (const lease of leases) this.start(lease);
  }

  close(): void {
    this.#closed.abort();
    for (const id of this.#running.keys()) this.stop(id);
  }

  async #measure(lease: Running): Promise<void> {
    const closed = this.#closed.signal;
    for (let leftMs = lease.ttlMs; leftMs > 0; leftMs = lease.expiresAtMs - this.#clock.nowMs()) {
      await this.#sleep(leftMs, lease.ended.signal);
      if (lease.ended.signal.aborted) return;
    }
    this.#running.delete(lease.id);
    while (!closed.aborted && !(await this.#tryToEnd(lease.id))) await this.#sleep(retryMs, closed);
  }

  /** Returns whether the lease has ended. Until then its keys remain, which is late but not wrong. */
  async #tryToEnd(id: string): Promise<boolean> {
    try {
      await this.#end(id);
      return true;
    } catch {
      return false;
    }
  }

  async #sleep(ms: number, signal: AbortSignal): Promise<void> {
    await this.#clock.sleep(ms, signal).catch(() => undefined);
  }
}
