import {
  type Awaitable,
  checkLeaseTtl,
  checkRange,
  checkTransaction,
  keysBetween,
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
  type Transaction,
  type TransactionResult,
  type Watch,
  type WatchBatch,
  type WatchQuery,
} from '@tappaas/sdk';
import { CallBook, gone } from './call-book.js';
import type { Channel } from './channel.js';
import type { Standing, ToClient, ToServer } from './protocol.js';
import { NewestRevision } from './newest-revision.js';
import { RecentEvents } from './recent-events.js';
import { deliverTo, wireQuery, type Deliver } from './deliver-to.js';

export interface RemoteStoreOptions {
  readonly channel: Channel<ToServer, ToClient>;
  readonly clock: Clock;
}

/**
 * Opens a store that another process owns. Each event is received once and distributed to all local watches.
 *
 * Resolves once the owner has sent the position of the store. @throws TAP_STORE_UNAVAILABLE when the owner disappears before
 */
export async function openRemoteStore(options: RemoteStoreOptions): Promise<ResourceStore> {
  const store = new RemoteStore(options);
  await store.opened;
  return store;
}

class RemoteStore implements ResourceStore {
  readonly opened: Promise<void>;
  readonly #clock: Clock;
  readonly #channel: Channel<ToServer, ToClient>;
  readonly #calls: CallBook;
  readonly #newest: NewestRevision;
  readonly #feeds = new Map<WatchFeed<StoreEvent>, Deliver>();
  readonly #opening = Promise.withResolvers<void>();
  #standing: Standing = { epoch: 0, revision: 0 };
  #recent = new RecentEvents(0);
  #health: StoreHealth = { state: 'unavailable', message: 'not connected yet', revision: 0, compactedRevision: 0, sizeBytes: 0 };
  #isOpen = true;
  #isGone = false;

  constructor({ channel, clock }: RemoteStoreOptions) {
    this.#clock = clock;
    this.#channel = channel;
    this.#calls = new CallBook(channel);
    this.#newest = new NewestRevision(clock, (onAnswer) => this.#calls.call('reached', [], onAnswer));
    this.opened = this.#opening.promise;
    channel.onMessage((message) => this.#take(message));
    channel.onClose(() => this.#lose());
  }

  get epoch(): number {
    return this.#standing.epoch;
  }

  /** Answers without a round trip while this process holds a lease. */
  currentRevision(): Awaitable<number> {
    return this.#isOpen && this.#newest.isLeased() ? this.#standing.revision : this.#newestAsked();
  }

  async get(key: string, revision?: number): Promise<KeyValue | undefined> {
    this.#assertOpen();
    return this.#calls.call('get', revision === undefined ? [key] : [key, revision]);
  }

  async range(query: RangeQuery): Promise<RangeResult> {
    this.#assertOpen();
    checkRange(query);
    return this.#calls.call('range', [query]);
  }

  async transact(transaction: Transaction): Promise<TransactionResult> {
    this.#assertOpen();
    checkTransaction(transaction);
    this.#newest.giveBack();
    return this.#calls.call('transact', [transaction]);
  }

  watch(query: WatchQuery): Watch {
    const { epoch } = this.#standing;
    const feed: WatchFeed<StoreEvent> = new WatchFeed({
      afterRevision: query.fromRevision - 1,
      bufferedEventsMax: query.bufferedEventsMax ?? 10_000,
      clock: this.#clock,
      progressEveryMs: query.progressEveryMs,
      catchUp: (afterRevision) => {
        this.#assertOpen();
        if (epoch !== this.#standing.epoch) throw this.#cut(afterRevision);
        return this.#history(feed, query, afterRevision);
      },
      onEnd: () => this.#feeds.delete(feed),
    });
    return {
      [Symbol.asyncIterator]: () => feed[Symbol.asyncIterator](),
      requestProgress: () => this.#requestProgress(feed),
      close: () => feed.close(),
    };
  }

  async grantLease(ttlMs: number): Promise<Lease> {
    this.#assertOpen();
    checkLeaseTtl(ttlMs);
    return this.#calls.call('grantLease', [ttlMs]);
  }

  async keepLeaseAlive(id: string): Promise<void> {
    this.#assertOpen();
    await this.#calls.call('keepLeaseAlive', [id]);
  }

  async revokeLease(id: string): Promise<void> {
    this.#assertOpen();
    await this.#calls.call('revokeLease', [id]);
  }

  async compact(revision: number): Promise<void> {
    this.#assertOpen();
    await this.#calls.call('compact', [revision]);
  }

  snapshot(): AsyncIterable<Uint8Array> {
    this.#assertOpen();
    const begun = this.#calls.call('snapshotBegin', []);
    // The reader of the snapshot receives the error, but there may be no reader.
    begun.catch(() => undefined);
    return this.#chunks(begun);
  }

  async restore(snapshot: AsyncIterable<Uint8Array>): Promise<void> {
    this.#assertOpen();
    await this.#calls.call('restoreBegin', []);
    let whole = false;
    try {
      for await (const chunk of snapshot) await this.#calls.call('restoreChunk', [chunk]);
      whole = true;
    } finally {
      const ended = this.#calls.call('restoreEnd', [whole]);
      await (whole ? ended : ended.catch(() => undefined));
    }
  }

  health(): StoreHealth {
    const { revision } = this.#standing;
    if (this.#isGone) return { ...this.#health, revision, state: 'unavailable', message: 'the process that has the store has gone' };
    if (!this.#isOpen) return { ...this.#health, revision, state: 'unavailable', message: 'the store is closed' };
    return { ...this.#health, revision };
  }

  /** Disconnects from the store; the owning process keeps it open. */
  async close(): Promise<void> {
    this.#isOpen = false;
    await this.#calls.idle();
    for (const feed of this.#feeds.keys()) feed.close();
    this.#channel.close();
  }

  async #newestAsked(): Promise<number> {
    this.#assertOpen();
    return this.#newest.ask();
  }

  /** Progress means the newest revision there is, not just the newest received here. */
  #requestProgress(feed: WatchFeed<StoreEvent>): void {
    if (this.#newest.isTold) return feed.requestProgress();
    void this.#newest.ask().then(
      () => feed.requestProgress(),
      // Readers of the watch receive the error that the store has gone.
      () => undefined,
    );
  }

  #take(message: ToClient): void {
    if ('id' in message) this.#calls.take(message);
    else if ('told' in message) this.#deliver(message.told);
    else if ('recall' in message) this.#return();
    else if ('standing' in message) this.#stand(message.standing);
    else this.#health = message.health;
  }

  #return(): void {
    this.#newest.giveBack();
    this.#channel.send({ returned: true });
  }

  #deliver({ revision, events }: WatchBatch): void {
    this.#standing = { epoch: this.#standing.epoch, revision };
    this.#recent.append(events);
    for (const deliver of this.#feeds.values()) deliver(revision, events);
  }

  /** Starts a new history after a restore: watches must list again. */
  #stand(standing: Standing): void {
    this.#standing = standing;
    this.#recent = new RecentEvents(standing.revision);
    for (const feed of this.#feeds.keys()) feed.fail(this.#cut(feed.revision));
    this.#opening.resolve();
  }

  #lose(): void {
    this.#isGone = this.#isOpen;
    this.#isOpen = false;
    this.#calls.loseAll();
    for (const feed of this.#feeds.keys()) {
      if (this.#isGone) feed.fail(gone());
      else feed.close();
    }
    this.#opening.reject(gone());
  }

  /** Goes live at once when the watch starts at the current revision. Otherwise the store sends older events; the rest are in memory. */
  #history(
    feed: WatchFeed<StoreEvent>,
    query: WatchQuery,
    afterRevision: number,
  ): FeedHistory<StoreEvent> | Promise<FeedHistory<StoreEvent>> {
    const { epoch, revision } = this.#standing;
    if (query.previous !== true && afterRevision >= revision) {
      this.#feeds.set(
        feed,
        deliverTo(feed, query, (key, at) => this.get(key, at)),
      );
      return { revision, events: [], live: true };
    }
    let rest: readonly StoreEvent[] | undefined;
    const page = this.#calls.call('history', [wireQuery(query), afterRevision], (told) => {
      rest = this.#recent.after(told.revision);
      // With previous values only the store's own events are complete, so go live only once no event lies in between.
      if (query.previous === true && (rest?.length ?? 0) > 0) rest = undefined;
      if (rest !== undefined && epoch === this.#standing.epoch)
        this.#feeds.set(
          feed,
          deliverTo(feed, query, (key, at) => this.get(key, at)),
        );
    });
    return page.then((told) => {
      if (epoch !== this.#standing.epoch) throw this.#cut(afterRevision);
      if (rest === undefined) return { ...told, live: false };
      const inside = keysBetween(query.start, query.end);
      const events = [...told.events, ...rest.filter(({ key }) => inside(key))];
      return { revision: Math.max(told.revision, rest.at(-1)?.revision ?? 0), events, live: true };
    });
  }

  async *#chunks(begun: Promise<number>): AsyncGenerator<Uint8Array, void, undefined> {
    const snapshot = await begun;
    try {
      for (;;) {
        const chunk = await this.#calls.call('snapshotChunk', [snapshot]);
        if (chunk === undefined) return;
        yield chunk;
      }
    } finally {
      if (this.#isOpen) await this.#calls.call('snapshotEnd', [snapshot]).catch(() => undefined);
    }
  }

  #assertOpen(): void {
    if (this.#isGone) throw gone();
    if (!this.#isOpen) throw storeErrors.TAP_STORE_UNAVAILABLE({ message: 'the store is closed' });
  }

  #cut(afterRevision: number): Error {
    const oldest = this.#standing.revision + 1;
    return storeErrors.TAP_STORE_COMPACTED({
      message: `revision ${afterRevision + 1} lies before a restore, the oldest still to be had is ${oldest}`,
      data: { revision: oldest },
    });
  }
}
