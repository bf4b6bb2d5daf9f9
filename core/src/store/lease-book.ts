import { storeErrors, type Clock, type Lease } from '@tappaas/sdk';

interface LiveLease extends Lease {
  readonly ended: AbortController;
  expiresAtMs: number;
}

/** All leases at one moment, as stored in a snapshot. */
export interface LeaseState {
  readonly granted: number;
  readonly leases: readonly Lease[];
}

/** The live leases. Calls `expire` once for each lease that was not renewed in time, never before its deadline. */
export class LeaseBook {
  readonly #leases = new Map<string, LiveLease>();
  readonly #clock: Clock;
  readonly #expire: (id: string) => void;
  #granted: number;

  /** Restarts the time to live of each lease in `state`. */
  constructor(clock: Clock, expire: (id: string) => void, state: LeaseState = { granted: 0, leases: [] }) {
    this.#clock = clock;
    this.#expire = expire;
    this.#granted = state.granted;
    for (const lease of state.leases) this.#start(lease);
  }

  get size(): number {
    return this.#leases.size;
  }

  has(id: string): boolean {
    return this.#leases.has(id);
  }

  /** Grants a lease; `scope` makes its id differ from ids granted before a restore. */
  grant(ttlMs: number, scope: number): Lease {
    const lease = { id: `${scope}-${++this.#granted}`, ttlMs };
    this.#start(lease);
    return lease;
  }

  /** @throws TAP_STORE_LEASE_GONE */
  renew(id: string): void {
    const lease = this.#leases.get(id);
    if (lease === undefined) throw leaseExpired(id);
    lease.expiresAtMs = this.#clock.nowMs() + lease.ttlMs;
  }

  /** @throws TAP_STORE_LEASE_GONE */
  remove(id: string): void {
    const lease = this.#leases.get(id);
    if (lease === undefined) throw leaseExpired(id);
    this.#leases.delete(id);
    lease.ended.abort();
  }

  state(): LeaseState {
    return { granted: this.#granted, leases: [...this.#leases.values()].map(({ id, ttlMs }) => ({ id, ttlMs })) };
  }

  /** Drops all leases without expiring them. */
  close(): void {
    for (const { ended } of this.#leases.values()) ended.abort();
    this.#leases.clear();
  }

  #start(lease: Lease): void {
    const live = { ...lease, ended: new AbortController(), expiresAtMs: this.#clock.nowMs() + lease.ttlMs };
    this.#leases.set(lease.id, live);
    void this.#awaitExpiry(live);
  }

  async #awaitExpiry(lease: LiveLease): Promise<void> {
    const { signal } = lease.ended;
    for (;;) {
      const leftMs = lease.expiresAtMs - this.#clock.nowMs();
      if (leftMs <= 0) return this.#expire(lease.id);
      await this.#clock.sleep(leftMs, signal).catch(() => undefined);
      if (signal.aborted) return;
    }
  }
}

/** The error for a lease that has ended or never existed. */
export function leaseExpired(id: string) {
  return storeErrors.TAP_STORE_LEASE_GONE({ message: `lease ${id} has ended` });
}
