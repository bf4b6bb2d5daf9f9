import {
  checkLeaseTtl,
  checkRange,
  checkTransaction,
  storeErrors,
  storeLimits,
  WatchFeed,
  type Change,
  type Clock,
  type FeedHistory,
  type Guard,
  type KeyValue,
  type Lease,
  type RangeQuery,
  type RangeResult,
  type ResourceStore,
  type StoreEvent,
  type StoreHealth,
  type Transaction,
  type TransactionResult,
  type Watch,
  type WatchQuery,
} from '@tappaas/sdk';
import { ClaimBook } from './claim-book.js';
import { EventLog, eventsFor } from './event-log.js';
import { LeaseBook, leaseExpired } from './lease-book.js';
import { decodeSnapshot, encodeSnapshot } from './memory-snapshot.js';
import { RevisionIndex } from './revision-index.js';

/** Options of a memory store. */
export interface MemoryStoreOptions {
  readonly clock: Clock;
  /** Default: 1. */
  readonly epoch?: number;
}

/**
 * Makes the reference store, which is simple rather than fast. Nothing survives the process.
 *
 * Every call takes effect immediately, in call order; other stores are tested against it as the model.
 */
export function createMemoryStore(options: MemoryStoreOptions): ResourceStore {
  return new MemoryStore(options);
}

class MemoryStore implements ResourceStore {
  readonly #clock: Clock;
  readonly #feeds = new Map<WatchFeed<StoreEvent>, WatchQuery>();
  #epoch: number;
  #revision = 0;
  #compacted = 0;
  #index = new RevisionIndex();
  #log = new EventLog();
  #claims = new ClaimBook();
  #leases: LeaseBook;
  #closed = false;

  constructor({ clock, epoch = 1 }: MemoryStoreOptions) {
    this.#clock = clock;
    this.#epoch = epoch;
    this.#leases = new LeaseBook(clock, (id) => this.#endLease(id));
  }

  get epoch(): number {
    return this.#epoch;
  }

  currentRevision(): number {
    this.#assertOpen();
    return this.#revision;
  }

  async get(key: string, revision?: number): Promise<KeyValue | undefined> {
    return this.#index.at(key, this.#readable(revision));
  }

  async range(query: RangeQuery): Promise<RangeResult> {
    checkRange(query);
    const revision = this.#readable(query.revision);
    const items: KeyValue[] = [];
    let count = 0;
    let bytes = 0;
    for (const found of this.#index.between(query.start, query.end, revision)) {
      count++;
      if (items.length === query.itemsMax || bytes >= storeLimits.pageBytesMax) continue;
      items.push(found);
      bytes += found.value.byteLength;
    }
    return { revision, items, more: items.length < count, count };
  }

  async transact(transaction: Transaction): Promise<TransactionResult> {
    this.#assertOpen();
    checkTransaction(transaction);
    const { guards = [], claims = [], changes } = transaction;
    const failedGuard = guards.findIndex((guard) => !this.#holds(guard));
    if (failedGuard >= 0) return this.#refusal(failedGuard, guards[failedGuard] as Guard);
    const claimed = this.#claims.check(claims);
    if ('failedClaim' in claimed) return { ok: false, revision: this.#revision, ...claimed };
    this.#checkLeases(changes);
    const claimsChanged = this.#claims.apply(claimed);
    return { ok: true, revision: this.#commit(changes, claimsChanged) };
  }

  watch(query: WatchQuery): Watch {
    const epoch = this.#epoch;
    const feed: WatchFeed<StoreEvent> = new WatchFeed({
      afterRevision: query.fromRevision - 1,
      bufferedEventsMax: query.bufferedEventsMax ?? 10_000,
      clock: this.#clock,
      progressEveryMs: query.progressEveryMs,
      catchUp: (afterRevision) => this.#history(feed, query, afterRevision, epoch),
      onEnd: () => this.#feeds.delete(feed),
    });
    return feed;
  }

  async grantLease(ttlMs: number): Promise<Lease> {
    this.#assertOpen();
    checkLeaseTtl(ttlMs);
    if (this.#leases.size >= storeLimits.leasesMax) {
      throw storeErrors.TAP_STORE_TOO_LARGE({ message: `${storeLimits.leasesMax} leases are alive, which is the most a store keeps` });
    }
    return this.#leases.grant(ttlMs, this.#epoch);
  }

  async keepLeaseAlive(id: string): Promise<void> {
    this.#assertOpen();
    this.#leases.renew(id);
  }

  async revokeLease(id: string): Promise<void> {
    this.#assertOpen();
    this.#endLease(id);
  }

  async compact(revision: number): Promise<void> {
    this.#assertOpen();
    if (revision > this.#revision) throw this.#future(revision);
    if (revision <= this.#compacted) throw this.#gone(revision, this.#compacted);
    this.#compacted = revision;
    this.#index.forget(revision);
    this.#log.forget(revision);
  }

  snapshot(): AsyncIterable<Uint8Array> {
    this.#assertOpen();
    return encodeSnapshot({
      epoch: this.#epoch,
      revision: this.#revision,
      keys: [...this.#index.all()],
      claims: this.#claims.state(),
      leases: this.#leases.state(),
    });
  }

  async restore(stream: AsyncIterable<Uint8Array>): Promise<void> {
    this.#assertOpen();
    const snapshot = await decodeSnapshot(stream);
    this.#epoch = Math.max(this.#epoch, snapshot.epoch) + 1;
    this.#revision = Math.max(this.#revision, snapshot.revision) + 1;
    this.#compacted = this.#revision;
    this.#index = new RevisionIndex();
    for (const current of snapshot.keys) this.#index.write(current.key, { revision: current.modRevision, current });
    this.#log = new EventLog();
    this.#claims = new ClaimBook(snapshot.claims);
    this.#leases.close();
    this.#leases = new LeaseBook(this.#clock, (id) => this.#endLease(id), snapshot.leases);
    for (const feed of this.#feeds.keys()) feed.fail(this.#gone(feed.revision + 1, this.#compacted + 1));
  }

  health(): StoreHealth {
    return {
      state: this.#closed ? 'unavailable' : 'ok',
      message: this.#closed ? 'the store is closed' : 'in memory',
      revision: this.#revision,
      compactedRevision: this.#compacted,
      sizeBytes: this.#index.sizeBytes,
    };
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#leases.close();
    for (const feed of this.#feeds.keys()) feed.close();
  }

  #holds(guard: Guard): boolean {
    if ('lease' in guard) return this.#leases.has(guard.lease);
    const current = this.#index.newest(guard.key);
    return 'modRevision' in guard
      ? (current?.modRevision ?? 0) === guard.modRevision
      : (current?.createRevision ?? 0) === guard.createRevision;
  }

  /** @throws TAP_STORE_LEASE_GONE, TAP_STORE_TOO_LARGE */
  #checkLeases(changes: readonly Change[]): void {
    const added = new Map<string, number>();
    for (const change of changes) {
      if (!('put' in change) || change.lease === undefined) continue;
      const { put, lease } = change;
      if (!this.#leases.has(lease)) throw leaseExpired(lease);
      if (this.#index.newest(put)?.lease !== lease) added.set(lease, (added.get(lease) ?? 0) + 1);
    }
    for (const [lease, count] of added) {
      if (this.#keysOf(lease).length + count <= storeLimits.leaseKeysMax) continue;
      throw storeErrors.TAP_STORE_TOO_LARGE({ message: `lease ${lease} would have more than ${storeLimits.leaseKeysMax} keys` });
    }
  }

  #keysOf(lease: string): readonly string[] {
    return [...this.#index.all()].filter((found) => found.lease === lease).map(({ key }) => key);
  }

  #refusal(failedGuard: number, guard: Guard): TransactionResult {
    const current = 'key' in guard ? this.#index.newest(guard.key) : undefined;
    return { ok: false, revision: this.#revision, failedGuard, ...(current === undefined ? {} : { current }) };
  }

  /** Commits the changes at one new revision and notifies watches; if nothing changes, the revision stays the same. */
  #commit(changes: readonly Change[], claimsChanged: boolean): number {
    const revision = this.#revision + 1;
    const events: StoreEvent[] = [];
    for (const change of changes) {
      const key = 'put' in change ? change.put : change.delete;
      const previous = this.#index.newest(key);
      const current = 'put' in change ? nextVersion(change, previous, revision) : undefined;
      if (current === undefined && previous === undefined) continue;
      this.#index.write(key, { revision, ...(current && { current }) });
      events.push({ key, revision, ...(current && { current }), ...(previous && { previous }) });
    }
    if (events.length === 0 && !claimsChanged) return this.#revision;
    this.#revision = revision;
    this.#log.append(events);
    for (const [feed, query] of this.#feeds) feed.offer(revision, eventsFor(query, events));
    return revision;
  }

  #endLease(id: string): void {
    this.#leases.remove(id);
    this.#commit(
      this.#keysOf(id).map((key) => ({ delete: key })),
      false,
    );
  }

  #history(feed: WatchFeed<StoreEvent>, query: WatchQuery, afterRevision: number, epoch: number): FeedHistory<StoreEvent> {
    this.#assertOpen();
    if (afterRevision < this.#compacted || epoch !== this.#epoch) throw this.#gone(afterRevision + 1, this.#compacted + 1);
    const { complete, ...page } = this.#log.after(afterRevision, query, this.#revision);
    if (complete) this.#feeds.set(feed, query);
    return { ...page, live: complete };
  }

  #readable(revision = this.#revision): number {
    this.#assertOpen();
    if (revision > this.#revision) throw this.#future(revision);
    if (revision < this.#compacted) throw this.#gone(revision, this.#compacted);
    return revision;
  }

  #assertOpen(): void {
    if (this.#closed) throw storeErrors.TAP_STORE_UNAVAILABLE({ message: 'the store is closed' });
  }

  #gone(revision: number, oldest: number) {
    return storeErrors.TAP_STORE_COMPACTED({
      message: `revision ${revision} has been compacted, the oldest still to be had is ${oldest}`,
      data: { revision: oldest },
    });
  }

  #future(revision: number) {
    return storeErrors.TAP_STORE_FUTURE_REVISION({ message: `revision ${revision} does not exist yet, the newest is ${this.#revision}` });
  }
}

function nextVersion(change: Extract<Change, { put: string }>, previous: KeyValue | undefined, revision: number): KeyValue {
  return {
    key: change.put,
    value: new Uint8Array(change.value),
    createRevision: previous?.createRevision ?? revision,
    modRevision: revision,
    version: (previous?.version ?? 0) + 1,
    ...(change.lease !== undefined && { lease: change.lease }),
  };
}
