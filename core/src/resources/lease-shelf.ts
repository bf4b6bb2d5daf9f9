import { storeLimits, type Clock, type ResourceStore } from '@tappaas/sdk';

/** Keys that expire share leases: one is granted per part of the time to live, so that a write rarely waits for a lease. */
const partsOfTtl = 24;
/** A lease takes only so many keys, and whoever asks may attach more than one. */
const usesMax = storeLimits.leaseKeysMax / 4;

interface Shelved {
  readonly lease: Promise<string>;
  readonly untilMs: number;
  readonly epoch: number;
  uses: number;
}

/** Hands out leases for records that go by themselves: they live at least as long as asked for, and at most a part longer. */
export class LeaseShelf {
  readonly #store: ResourceStore;
  readonly #clock: Clock;
  readonly #shelf = new Map<number, Shelved>();

  constructor(store: ResourceStore, clock: Clock) {
    this.#store = store;
    this.#clock = clock;
  }

  /** The id of a lease that lasts `ttlMs` from now. */
  async lease(ttlMs: number): Promise<string> {
    const nowMs = this.#clock.nowMs();
    const known = this.#shelf.get(ttlMs);
    if (known && nowMs < known.untilMs && known.epoch === this.#store.epoch && known.uses < usesMax) {
      known.uses += 1;
      return known.lease;
    }
    const partMs = Math.ceil(ttlMs / partsOfTtl);
    const lease = this.#store.grantLease(ttlMs + partMs).then(({ id }) => id);
    const shelved = { lease, untilMs: nowMs + partMs, epoch: this.#store.epoch, uses: 1 };
    this.#shelf.set(ttlMs, shelved);
    lease.catch(() => this.#shelf.get(ttlMs) === shelved && this.#shelf.delete(ttlMs));
    return lease;
  }
}
