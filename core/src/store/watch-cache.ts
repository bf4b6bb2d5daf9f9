import { storeErrors, WatchFeed, type Awaitable, type Clock, type KeyValue, type ResourceStore, type TapError } from '@tappaas/sdk';
import { CacheChange } from './cache-change.js';
import { cacheEntry, type CacheEntry, type CacheEvent, type EntryOrigin } from './cache-entry.js';
import { CacheFollower, type Decoded, type DecodedEvent } from './cache-follower.js';
import { CacheHistory, type HistoryLimits } from './cache-history.js';
import { CacheIndex } from './cache-index.js';
import { takePage, type CachePage, type CacheQuery } from './cache-list.js';
import { RevisionWaiters } from './revision-waiters.js';
import { predicate, type IndexFunctions, type Selection } from './selection.js';
import { SharedEvents, type EventOf } from './shared-events.js';

/** Options of a cache: its store, its key prefix, and how its objects are handled. */
export interface WatchCacheOptions<T> {
  readonly store: Pick<ResourceStore, 'range' | 'watch' | 'health'>;
  readonly clock: Clock;
  /** Every key of the cache starts with it; it ends with a separator, such as `/registry/apps/deployments/`. */
  readonly prefix: string;
  /**
   * Makes the frozen object of a stored value; called once per revision of a key. It may wait (for a key service), which delays the whole
   * cache. While it throws, the cache makes no progress and retries; to serve a damaged object, return one that describes the damage.
   */
  decode(stored: KeyValue): Awaitable<T>;
  /** The bytes that go over the wire; called at most once per revision of a key. */
  encode(object: T): Uint8Array;
  /** A copy of `object` with `revision`: sent to watchers when the object is deleted or leaves their selection. */
  restamp(object: T, revision: number): T;
  /** Index functions, by which objects are found; pure functions of the object. */
  readonly indexes: IndexFunctions<T>;
  /** Events kept for watches and lists at past revisions. Default 10,000. */
  readonly historyEventsMax?: number;
  /** Bytes (stored values) of those events. Default 16 MiB. */
  readonly historyBytesMax?: number;
  /** How many past revisions the history starts with, as far as the store still has them. Default: 0. */
  readonly pastRevisionsMax?: number;
  /** Called when the cache cannot follow the store; it retries with back-off, and reads continue. */
  onProblem?(problem: TapError): void;
}

/** What to watch: events with a revision greater than `afterRevision`. */
export interface CacheWatchQuery<T> extends Selection<T> {
  readonly afterRevision: number;
  /** Watches with the same name must have the same selection, and share the computation of events. */
  readonly name?: string;
  /** Events that may wait for the reader before the watch is ended. Default 1,000. */
  readonly bufferedEventsMax?: number;
  /** Requests a bookmark at least this often while nothing matches. Default: none. */
  readonly bookmarkEveryMs?: number;
}

/** Whole revisions in order. A batch without events is a bookmark: all events up to `revision` have been delivered. */
export interface CacheBatch<T> {
  readonly revision: number;
  readonly events: readonly CacheEvent<T>[];
}

/**
 * An open watch; it can be iterated once.
 *
 * Iterating throws TAP_STORE_COMPACTED when the history is gone, either at once or later when the cache had to list again, and
 * TAP_STORE_SLOW_CONSUMER (`data.revision`: the last one delivered) when the reader was too slow.
 */
export interface CacheWatch<T> extends AsyncIterable<CacheBatch<T>> {
  /** All events up to this revision have been delivered; the value of a closing bookmark. */
  readonly revision: number;
  /** Requests a batch, if need be a bookmark, once everything now in the cache has been delivered. */
  requestProgress(): void;
  close(): void;
}

/** The objects under one key prefix, kept in sync with the store. All reads are synchronous and see a single revision. */
export interface WatchCache<T> {
  /** The cache contains everything up to this revision of the store; −1 until the first list has arrived. */
  readonly revision: number;
  /** The last revision that changed the cache; two current lists are equal if it has not risen between them. */
  readonly changedRevision: number;
  /** The oldest revision that lists and watches can use; older ones fail (410), and before the first list all do. */
  readonly oldestRevision: number;
  /** Number of objects. */
  readonly size: number;
  /** Resolves once `revision` has been reached; rejects with the signal's reason. @throws TAP_STORE_UNAVAILABLE when closed */
  waitFor(revision: number, signal: AbortSignal): Promise<void>;
  get(key: string): CacheEntry<T> | undefined;
  /** @throws TAP_STORE_COMPACTED below `oldestRevision`, TAP_STORE_FUTURE_REVISION beyond `revision` */
  list(query: CacheQuery<T>): CachePage<T>;
  /** Opening never throws; see {@link CacheWatch}. */
  watch(query: CacheWatchQuery<T>): CacheWatch<T>;
  /** Ends all watches and stops following the store. */
  close(): Promise<void>;
}

/** Opens a cache, which starts following the store immediately; `waitFor(0, signal)` waits until its first list has arrived. */
export function openWatchCache<T>(options: WatchCacheOptions<T>): WatchCache<T> {
  return new FollowingCache(options);
}

const historyPageEvents = 500;

class FollowingCache<T> implements WatchCache<T> {
  readonly #options: WatchCacheOptions<T>;
  readonly #limits: HistoryLimits;
  readonly #follower: CacheFollower<T>;
  readonly #waiters: RevisionWaiters;
  /** One shared function for all entries, because there are many of them. */
  readonly #encode: (object: T) => Uint8Array;
  /** The open watches, each with the function that selects its events. */
  readonly #shared = new SharedEvents<T>();
  readonly #feeds = new Map<WatchFeed<CacheEvent<T>>, EventOf<T>>();
  #index: CacheIndex<T>;
  #history: CacheHistory<T>;
  /** Incremented when the whole content was replaced: earlier watches cannot continue. */
  #generation = 0;
  #revision = -1;
  #changedRevision = -1;

  constructor(options: WatchCacheOptions<T>) {
    this.#options = options;
    this.#encode = (object) => options.encode(object);
    this.#limits = { eventsMax: options.historyEventsMax ?? 10_000, bytesMax: options.historyBytesMax ?? 16 * 1_024 * 1_024 };
    this.#index = new CacheIndex(options.indexes);
    this.#history = new CacheHistory(this.#limits, Number.MAX_SAFE_INTEGER);
    this.#follower = new CacheFollower({
      store: options.store,
      clock: options.clock,
      prefix: options.prefix,
      pastRevisionsMax: options.pastRevisionsMax,
      decode: (stored) => options.decode(stored),
      onList: (revision, objects) => this.#replace(revision, objects),
      onChanges: (revision, changes) => this.#apply(revision, changes),
      onProblem: (problem) => options.onProblem?.(problem),
    });
    this.#waiters = new RevisionWaiters(options.clock, () => this.#follower.requestProgress());
    this.#follower.start();
  }

  get revision(): number {
    return this.#revision;
  }

  get changedRevision(): number {
    return this.#changedRevision;
  }

  get oldestRevision(): number {
    return this.#history.oldestRevision;
  }

  get size(): number {
    return this.#index.size;
  }

  waitFor(revision: number, signal: AbortSignal): Promise<void> {
    return revision <= this.#revision ? Promise.resolve() : this.#waiters.wait(revision, signal);
  }

  get(key: string): CacheEntry<T> | undefined {
    return this.#index.get(key);
  }

  list(query: CacheQuery<T>): CachePage<T> {
    const { revision = this.#revision } = query;
    if (revision > this.#revision) throw this.#future(revision);
    if (revision < this.oldestRevision) throw this.#gone(revision);
    return { revision, ...takePage(this.#index, this.#history.before(revision), this.#options.indexes, query) };
  }

  watch(query: CacheWatchQuery<T>): CacheWatch<T> {
    const generation = this.#generation;
    const eventOf = this.#shared.eventOf(query.name, predicate(query, this.#options.indexes));
    const feed: WatchFeed<CacheEvent<T>> = new WatchFeed({
      afterRevision: query.afterRevision,
      bufferedEventsMax: query.bufferedEventsMax ?? 1_000,
      clock: this.#options.clock,
      progressEveryMs: query.bookmarkEveryMs,
      onEnd: () => this.#feeds.delete(feed),
      catchUp: (afterRevision) => {
        if (afterRevision < this.oldestRevision || generation !== this.#generation) throw this.#gone(afterRevision);
        const changes = this.#history.after(afterRevision, historyPageEvents);
        const last = changes.at(-1)?.revision ?? this.#revision;
        const live = changes.length < historyPageEvents;
        if (live) this.#feeds.set(feed, eventOf);
        return { revision: live ? this.#revision : last, events: wanted(changes, eventOf), live };
      },
    });
    return feed;
  }

  async close(): Promise<void> {
    this.#waiters.close();
    for (const feed of this.#feeds.keys()) feed.close();
    await this.#follower.stop();
  }

  #replace(revision: number, objects: readonly Decoded<T>[]): void {
    const index = new CacheIndex(this.#options.indexes);
    for (const { origin, object } of objects) index.put(this.#entry(origin, object));
    this.#index = index;
    this.#history = new CacheHistory(this.#limits, revision);
    this.#revision = revision;
    this.#changedRevision = revision;
    this.#generation++;
    for (const feed of this.#feeds.keys()) feed.fail(this.#gone(feed.revision));
    this.#waiters.reached(revision);
  }

  #apply(revision: number, events: readonly DecodedEvent<T>[]): void {
    const changes = events.map(({ event, object }) => {
      const previous = this.#index.get(event.key);
      const current = event.current === undefined ? undefined : this.#entry(event.current, object as T);
      if (current === undefined) this.#index.delete(event.key);
      else this.#index.put(current);
      const sizeBytes = event.key.length + (event.current?.value.byteLength ?? 0);
      const change = new CacheChange({ key: event.key, revision: event.revision, current, previous, sizeBytes }, this.#options);
      this.#history.append(change);
      return change;
    });
    this.#revision = revision;
    if (events.length > 0) this.#changedRevision = revision;
    for (const [feed, eventOf] of this.#feeds) this.#tell(feed, revision, changes, eventOf);
    this.#waiters.reached(revision);
  }

  /** Delivers changes to one watch; a selection that throws ends only its own watch. */
  #tell(feed: WatchFeed<CacheEvent<T>>, revision: number, changes: readonly CacheChange<T>[], eventOf: EventOf<T>): void {
    try {
      feed.offer(revision, wanted(changes, eventOf));
    } catch (error) {
      feed.fail(error instanceof Error ? error : new Error(String(error)));
    }
  }

  #entry(stored: EntryOrigin, object: T): CacheEntry<T> {
    return cacheEntry(stored, object, this.#encode);
  }

  #gone(revision: number) {
    return storeErrors.TAP_STORE_COMPACTED({
      message: `revision ${revision} of ${this.#options.prefix} is gone, the oldest still to be had is ${this.oldestRevision}`,
      data: { revision: this.oldestRevision },
    });
  }

  #future(revision: number) {
    return storeErrors.TAP_STORE_FUTURE_REVISION({
      message: `revision ${revision} has not reached the cache of ${this.#options.prefix}, which is at ${this.#revision}`,
    });
  }
}

function wanted<T>(changes: readonly CacheChange<T>[], eventOf: EventOf<T>): readonly CacheEvent<T>[] {
  const events: CacheEvent<T>[] = [];
  for (const change of changes) {
    const event = eventOf(change);
    if (event !== undefined) events.push(event);
  }
  return events;
}
