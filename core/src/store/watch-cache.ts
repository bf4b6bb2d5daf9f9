import type { Awaitable, Clock, KeyValue, ResourceStore, TapError } from '@tappaas/sdk';
import type { CacheEntry, CacheEvent } from './cache-entry.js';
import type { Selection } from './selection.js';

/** What a cache needs to know about the objects it keeps. */
export interface WatchCacheOptions<T> {
  readonly store: Pick<ResourceStore, 'range' | 'watch'>;
  readonly clock: Clock;
  /** Every key of the cache starts with it; it ends with a separator, such as `/registry/apps/deployments/`. */
  readonly prefix: string;
  /** Makes the frozen object of a stored value; called once a revision of a key. May wait (for a key service), which holds up the cache. */
  decode(stored: KeyValue): Awaitable<T>;
  /** The bytes that go over the wire; called at most once a revision of a key. */
  encode(object: T): Uint8Array;
  /** A copy of `object` that carries `revision`: what a watcher is told when it is deleted or leaves the selection. */
  restamp(object: T, revision: number): T;
  /** Values by which objects are found; pure functions of the object. */
  readonly indexes: Readonly<Record<string, (object: T, key: string) => readonly string[]>>;
  /** Events kept for watches and lists at past revisions. Default 10,000. */
  readonly historyEventsMax?: number;
  /** Bytes (stored values) of those events. Default 16 MiB. */
  readonly historyBytesMax?: number;
  /** Told when the cache cannot follow the store; it goes on trying with back-off, and reads go on. */
  onProblem?(problem: TapError): void;
}

/** A page of entries in key order; the rest of the same list comes with `after` of the last page and its `revision`. */
export interface CacheQuery<T> extends Selection<T> {
  /** Continue after this key (excluded). */
  readonly after?: string;
  /** Default: no limit. */
  readonly itemsMax?: number;
  /** Default: the newest the cache has. */
  readonly revision?: number;
}

/** What a list answers. */
export interface CachePage<T> {
  readonly revision: number;
  readonly items: readonly CacheEntry<T>[];
  /** Where the next page goes on; absent on the last page. */
  readonly after?: string;
  /** How many items follow this page; known only without `matches` and with at most one single-valued term or none. */
  readonly remaining?: number;
}

/** What to watch: events with a revision greater than `afterRevision`. */
export interface CacheWatchQuery<T> extends Selection<T> {
  readonly afterRevision: number;
  /** Events that may wait for the reader before the watch is cut. Default 1,000. */
  readonly bufferedEventsMax?: number;
  /** Asks for a bookmark at least this often while nothing matches. Default: none. */
  readonly bookmarkEveryMs?: number;
}

/** Whole revisions in order; no events: a bookmark, all up to `revision` was told. */
export interface CacheBatch<T> {
  readonly revision: number;
  readonly events: readonly CacheEvent<T>[];
}

/**
 * An open watch: iterate it once.
 *
 * Iterating throws TAP_STORE_COMPACTED when history is gone, at once or later when the cache had to list anew, and
 * TAP_STORE_SLOW_CONSUMER (`data.revision`: the last one told) when the reader was too slow.
 */
export interface CacheWatch<T> extends AsyncIterable<CacheBatch<T>> {
  /** Everything up to here was told to the reader; what a closing bookmark says. */
  readonly revision: number;
  close(): void;
}

/** The objects of one key prefix, kept in step with the store. All reads are synchronous and see one revision. */
export interface WatchCache<T> {
  /** Everything up to this revision of the store is in the cache; −1 until the first list has arrived. */
  readonly revision: number;
  /** Lists at and watches after revisions from here on are answered; older ones are gone (410). */
  readonly oldestRevision: number;
  /** Number of objects. */
  readonly size: number;
  /** Resolves as soon as `revision` has been reached; rejects with the signal's reason. */
  waitFor(revision: number, signal: AbortSignal): Promise<void>;
  get(key: string): CacheEntry<T> | undefined;
  /** @throws TAP_STORE_COMPACTED below `oldestRevision`, TAP_STORE_FUTURE_REVISION beyond `revision` */
  list(query: CacheQuery<T>): CachePage<T>;
  /** Opening never throws; see {@link CacheWatch}. */
  watch(query: CacheWatchQuery<T>): CacheWatch<T>;
  /** Ends all watches and follows the store no more. */
  close(): Promise<void>;
}
