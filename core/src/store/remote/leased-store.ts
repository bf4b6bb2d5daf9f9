import type {
  Awaitable,
  KeyValue,
  Lease,
  RangeQuery,
  RangeResult,
  ResourceStore,
  StoreHealth,
  Transaction,
  TransactionResult,
  Watch,
  WatchQuery,
} from '@tappaas/sdk';
import type { ReadLeases } from './read-leases.js';

/** The owning process's view of a store that is shared with other processes: its writes recall read leases, as theirs do. */
export class LeasedStore implements ResourceStore {
  readonly #store: ResourceStore;
  readonly #leases: ReadLeases;

  constructor(store: ResourceStore, leases: ReadLeases) {
    this.#store = store;
    this.#leases = leases;
  }

  get epoch(): number {
    return this.#store.epoch;
  }

  currentRevision(): Awaitable<number> {
    return this.#store.currentRevision();
  }

  get(key: string, revision?: number): Promise<KeyValue | undefined> {
    return this.#store.get(key, revision);
  }

  range(query: RangeQuery): Promise<RangeResult> {
    return this.#store.range(query);
  }

  transact(transaction: Transaction): Promise<TransactionResult> {
    return this.#leases.change(() => this.#store.transact(transaction));
  }

  watch(query: WatchQuery): Watch {
    return this.#store.watch(query);
  }

  grantLease(ttlMs: number): Promise<Lease> {
    return this.#store.grantLease(ttlMs);
  }

  keepLeaseAlive(id: string): Promise<void> {
    return this.#store.keepLeaseAlive(id);
  }

  revokeLease(id: string): Promise<void> {
    return this.#leases.change(() => this.#store.revokeLease(id));
  }

  compact(revision: number): Promise<void> {
    return this.#store.compact(revision);
  }

  snapshot(): AsyncIterable<Uint8Array> {
    return this.#store.snapshot();
  }

  restore(snapshot: AsyncIterable<Uint8Array>): Promise<void> {
    return this.#leases.change(() => this.#store.restore(snapshot));
  }

  health(): StoreHealth {
    return this.#store.health();
  }

  close(): Promise<void> {
    return this.#store.close();
  }
}
