import {
  atOnce,
  checkLeaseTtl,
  checkRange,
  checkTransaction,
  storeErrors,
  WatchFeed,
  type Clock,
  type FeedHistory,
  type KeyValue,
  type Lease,
  type RangeQuery,
  type RangeResult,
  type ResourceStore,
  type StoreEvent,
  type StoreHealth,
  type TapError,
  type Transaction,
  type TransactionResult,
  type Watch,
  type WatchQuery,
} from '@tappaas/sdk';
import type { Failpoints } from './failpoints.js';
import { LeaseClock } from './lease-clock.js';
import type { WireEvents, WireOperation, WireResult, WireState, Written } from './protocol.js';
import { withSpooled } from './spool.js';
import { StoreFaults } from './store-faults.js';
import { eventsOf, selector } from './committed-events.js';
import { fromWire } from './wire-error.js';
import { WriterLink, type Pending } from './writer-link.js';

/** Options of a store. */
export interface SqliteStoreOptions {
  /** Created if absent, readable by its owner only; used by one process at a time. */
  readonly directory: string;
  readonly clock: Clock;
  /** Approximate size of the write-ahead log at which it is copied into the database file. Default 4 MiB. */
  readonly checkpointBytes?: number;
  /** Maximum size of the file, at which writes are refused as on a full disk. Default: no limit but the disk. */
  readonly sizeBytesMax?: number;
  /** Failpoints, for tests only. */
  readonly failpoints?: Failpoints;
}

/**
 * Opens the store in a directory, creating it if needed, and reads it completely once.
 *
 * @throws TAP_STORE_LOCKED, TAP_STORE_CORRUPT, TAP_STORE_READ_ONLY, TAP_STORE_UNAVAILABLE
 */
export async function openSqliteStore(options: SqliteStoreOptions): Promise<ResourceStore> {
  const store = new SqliteStore(options);
  await store.opened();
  return store;
}

class SqliteStore implements ResourceStore {
  readonly #directory: string;
  readonly #clock: Clock;
  readonly #link: WriterLink;
  readonly #leases: LeaseClock;
  /** Live watches, each with a function that selects its events. */
  readonly #feeds = new Map<WatchFeed<StoreEvent>, (events: readonly StoreEvent[]) => readonly StoreEvent[]>();
  readonly #faults: StoreFaults;
  #previousWatches = 0;
  #snapshots = 0;
  #restoring = false;
  #state: WireState = { epoch: 0, revision: 0, compactedRevision: 0, leases: [], sizeBytes: 0 };

  constructor({ directory, clock, checkpointBytes = 4 * 1_024 * 1_024, sizeBytesMax, failpoints }: SqliteStoreOptions) {
    this.#directory = directory;
    this.#clock = clock;
    this.#faults = new StoreFaults({ clock, probe: () => this.#link.query({ kind: 'probe' }) });
    this.#leases = new LeaseClock(clock, (id) => this.#endLease(id));
    this.#link = new WriterLink(
      { directory, checkpointBytes, sizeBytesMax, failpoints: failpoints?.buffer },
      {
        onWritten: (works, reply) => this.#publish(works, reply),
        onBroken: (error) => this.#faults.break(error),
        onExit: (error) => this.#lose(error),
      },
    );
  }

  async opened(): Promise<void> {
    this.#state = await this.#link.opened();
    this.#leases.replace(this.#state.leases);
  }

  get epoch(): number {
    return this.#state.epoch;
  }

  /** Called before every read. */
  readonly currentRevision = atOnce((): number => {
    this.#faults.assertOpen();
    return this.#state.revision;
  });

  async get(key: string, revision?: number): Promise<KeyValue | undefined> {
    this.#faults.assertOpen();
    return this.#link.query({ kind: 'get', key, revision });
  }

  async range(query: RangeQuery): Promise<RangeResult> {
    this.#faults.assertOpen();
    checkRange(query);
    const { start, end, itemsMax, revision } = query;
    return this.#link.query({ kind: 'range', start, end, itemsMax, revision });
  }

  async transact(transaction: Transaction): Promise<TransactionResult> {
    this.#faults.assertWritable();
    checkTransaction(transaction);
    const { guards = [], claims = [], changes } = transaction;
    const wire = changes.map((change) =>
      'put' in change ? { key: change.put, length: change.value.byteLength, lease: change.lease } : { key: change.delete, length: -1 },
    );
    const values = changes.flatMap((change) => ('put' in change ? [new Uint8Array(change.value)] : []));
    const result = await this.#write({ kind: 'transact', guards, claims, changes: wire }, values);
    if (result.kind === 'refused') return result.result;
    if (result.kind === 'done') return { ok: true, revision: result.revision };
    throw unexpected(result);
  }

  watch(query: WatchQuery): Watch {
    const { epoch } = this.#state;
    const previous = query.previous === true;
    let ended = false;
    if (previous) this.#previousWatches++;
    const feed: WatchFeed<StoreEvent> = new WatchFeed({
      afterRevision: query.fromRevision - 1,
      bufferedEventsMax: query.bufferedEventsMax ?? 10_000,
      clock: this.#clock,
      progressEveryMs: query.progressEveryMs,
      catchUp: async (afterRevision) => {
        if (epoch !== this.#state.epoch) throw this.#cut(afterRevision);
        const page = await this.#history(query, afterRevision, () => {
          if (!ended && epoch === this.#state.epoch) this.#feeds.set(feed, selector(query));
        });
        if (epoch !== this.#state.epoch) throw this.#cut(afterRevision);
        return page;
      },
      onEnd: () => {
        ended = true;
        this.#feeds.delete(feed);
        if (previous && --this.#previousWatches === 0) this.#link.wantPrevious(false);
      },
    });
    return feed;
  }

  async grantLease(ttlMs: number): Promise<Lease> {
    this.#faults.assertWritable();
    checkLeaseTtl(ttlMs);
    const result = await this.#write({ kind: 'grant', ttlMs });
    if (result.kind !== 'granted') throw unexpected(result);
    this.#leases.start(result.lease);
    return result.lease;
  }

  async keepLeaseAlive(id: string): Promise<void> {
    this.#faults.assertOpen();
    this.#leases.renew(id);
  }

  async revokeLease(id: string): Promise<void> {
    this.#faults.assertWritable();
    const result = await this.#write({ kind: 'revoke', lease: id });
    if (result.kind !== 'revoked') throw unexpected(result);
    this.#leases.stop(id);
  }

  /** Also tried on a full disk, since it may free space. */
  async compact(revision: number): Promise<void> {
    this.#faults.assertOpen();
    const result = await this.#write({ kind: 'compact', revision });
    if (result.kind !== 'compacted') throw unexpected(result);
  }

  snapshot(): AsyncIterable<Uint8Array> {
    this.#faults.assertOpen();
    const snapshot = ++this.#snapshots;
    const begun = this.#link.query<void>({ kind: 'snapshot', snapshot });
    // The reader of the snapshot gets the error; without a reader it must not be unhandled.
    begun.catch(() => undefined);
    return this.#chunks(snapshot, begun);
  }

  async restore(snapshot: AsyncIterable<Uint8Array>): Promise<void> {
    this.#faults.assertWritable();
    if (this.#restoring) throw storeErrors.TAP_STORE_UNAVAILABLE({ message: 'another restore is running', retryAfterMs: 10_000 });
    this.#restoring = true;
    try {
      await withSpooled(this.#directory, snapshot, (file) =>
        this.#link.query<WireState>({ kind: 'restore', file }, (state) => this.#replace(state)),
      );
    } finally {
      this.#restoring = false;
    }
  }

  health(): StoreHealth {
    const { revision, compactedRevision, sizeBytes } = this.#state;
    return { ...this.#faults.health(`in ${this.#directory}`), revision, compactedRevision, sizeBytes };
  }

  async close(): Promise<void> {
    this.#faults.close();
    this.#leases.close();
    await this.#link.close();
    for (const feed of this.#feeds.keys()) feed.close();
  }

  #write(operation: WireOperation, values?: readonly Uint8Array[]): Promise<WireResult> {
    return this.#link.write(operation, values);
  }

  async #endLease(id: string): Promise<void> {
    const result = await this.#write({ kind: 'revoke', lease: id });
    if (result.kind === 'failed' && result.error.code !== 'TAP_STORE_LEASE_GONE') throw fromWire(result.error);
  }

  /** Delivers durable changes to watches; the writes are acknowledged afterwards. */
  #publish(works: readonly Pending[], { results, revision, sizeBytes }: Written): void {
    const compactedRevision = results.reduce(
      (last, result) => (result.kind === 'compacted' ? result.revision : last),
      this.#state.compactedRevision,
    );
    this.#state = { ...this.#state, revision, sizeBytes, compactedRevision };
    const events = eventsOf(works, results);
    for (const [feed, wanted] of this.#feeds) feed.offer(revision, wanted(events));
  }

  /** If nothing is missing, the feed goes live at once; otherwise it gets pages from the log and goes live with the last one. */
  #history(
    { start, end, previous = false }: WatchQuery,
    afterRevision: number,
    goLive: () => void,
  ): FeedHistory<StoreEvent> | Promise<FeedHistory<StoreEvent>> {
    this.#faults.assertOpen();
    if (!previous && afterRevision >= this.#state.revision) {
      goLive();
      return { revision: this.#state.revision, events: [], live: true };
    }
    const page = this.#link.query<WireEvents>({ kind: 'events', start, end, afterRevision, previous }, ({ complete }) => {
      if (complete) goLive();
    });
    return page.then(({ revision, events, complete }) => ({ revision, events, live: complete }));
  }

  async *#chunks(snapshot: number, begun: Promise<void>): AsyncGenerator<Uint8Array, void, undefined> {
    await begun;
    try {
      for (;;) {
        const chunk = await this.#link.query<Uint8Array | undefined>({ kind: 'snapshot-chunk', snapshot });
        if (chunk === undefined) return;
        yield chunk;
      }
    } finally {
      await this.#link.query({ kind: 'snapshot-end', snapshot }).catch(() => undefined);
    }
  }

  #replace(state: WireState): void {
    this.#state = state;
    this.#leases.replace(state.leases);
    for (const feed of this.#feeds.keys()) feed.fail(this.#cut(feed.revision));
  }

  #lose(error: TapError | undefined): void {
    this.#faults.lose(error);
    for (const feed of this.#feeds.keys()) {
      if (error === undefined) feed.close();
      else feed.fail(error);
    }
  }

  #cut(afterRevision: number): TapError {
    const oldest = this.#state.compactedRevision + 1;
    return storeErrors.TAP_STORE_COMPACTED({
      message: `revision ${afterRevision + 1} lies before a restore, the oldest still to be had is ${oldest}`,
      data: { revision: oldest },
    });
  }
}

function unexpected(result: WireResult): TapError {
  if (result.kind === 'failed') return fromWire(result.error);
  return storeErrors.TAP_STORE_UNAVAILABLE({ message: `the writer answered with ${result.kind}` });
}
