import { storeLimits, type Clock, type ResourceStore } from '@tappaas/sdk';

/** Expiring keys share leases: one lease is granted per this fraction of the time to live, so that a write rarely waits for a lease. */
const partsOfTtl = 24;
/** A lease has a limited number of keys, and one request may attach several. */
const usesMax = storeLimits.leaseKeysMax / 4;

interface SharedLease {
  readonly lease: Promise<string>;
  readonly untilMs: number;
  readonly epoch: number;
  uses: number;
}

/** Provides leases for expiring records: they last at least the requested time, and at most one fraction longer. */
export class SharedLeases {
  readonly #store: ResourceStore;
  readonly #clock: Clock;
  readonly #caches = new Map<number, SharedLease>();

  constructor(store: ResourceStore, clock: Clock) {
    this.#store = store;
    this.#clock = clock;
  }

  /** Returns the id of a lease that lasts at least `ttlMs` from now. */
  async lease(ttlMs: number): Promise<string> {
    const nowMs = this.#clock.nowMs();
    const known = this.#caches.get(ttlMs);
    if (known && nowMs < known.untilMs && known.epoch === this.#store.epoch && known.uses < usesMax) {
      known.uses += 1;
      return known.lease;
    }
    const partMs = Math.ceil(ttlMs / partsOfTtl);
    const lease = this.#store.grantLease(ttlMs + partMs).then(({ id }) => id);
    const shelved = { lease, untilMs: nowMs + partMs, epoch: this.#store.epoch, uses: 1 };
    this.#caches.set(ttlMs, shelved);
    lease.catch(() => this.#caches.get(ttlMs) === shelved && this.#caches.delete(ttlMs));
    return lease;
  }
}
