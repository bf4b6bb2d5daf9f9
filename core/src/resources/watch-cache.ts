import type { Awaitable, Clock, KeyValue, ResourceStore, TapError } from '@tappaas/sdk';

/** The parts of the watch cache that the engine uses; the platform passes in the store stage's function that opens one. */
export interface CacheEntry<T> {
  readonly key: string;
  readonly object: T;
  readonly revision: number;
}

/** One change as seen by a watcher of a selection. */
export interface CacheEvent<T> {
  readonly type: 'added' | 'modified' | 'deleted';
  readonly revision: number;
  readonly entry: CacheEntry<T>;
  readonly previous?: CacheEntry<T>;
}

/** Selects entries; all given conditions must hold. */
export interface Selection<T> {
  readonly within?: string;
  readonly where?: readonly { readonly index: string; readonly values: readonly string[] }[];
  readonly matches?: (entry: CacheEntry<T>) => boolean;
}

/** The result of a list. */
export interface CachePage<T> {
  readonly revision: number;
  readonly items: readonly CacheEntry<T>[];
  readonly after?: string;
  readonly remaining?: number;
}

/** Whole revisions in order; a batch without events is a bookmark. */
export interface CacheBatch<T> {
  readonly revision: number;
  readonly events: readonly CacheEvent<T>[];
}

/** An open watch; it can be iterated once. */
export interface CacheWatch<T> extends AsyncIterable<CacheBatch<T>> {
  readonly revision: number;
  close(): void;
}

/** The objects under one key prefix, kept in sync with the store; reads are synchronous. */
export interface WatchCache<T> {
  readonly revision: number;
  /** The last revision that changed the cache. */
  readonly changedRevision: number;
  readonly oldestRevision: number;
  readonly size: number;
  waitFor(revision: number, signal: AbortSignal): Promise<void>;
  get(key: string): CacheEntry<T> | undefined;
  list(query: Selection<T> & { readonly after?: string; readonly itemsMax?: number; readonly revision?: number }): CachePage<T>;
  watch(
    query: Selection<T> & {
      readonly afterRevision: number;
      readonly bufferedEventsMax?: number;
      readonly bookmarkEveryMs?: number;
      /** Watches with the same name must have the same selection. */
      readonly name?: string;
    },
  ): CacheWatch<T>;
  close(): Promise<void>;
}

/** Options of a cache. */
export interface WatchCacheOptions<T> {
  readonly store: Pick<ResourceStore, 'range' | 'watch' | 'health'>;
  readonly clock: Clock;
  readonly prefix: string;
  decode(stored: KeyValue): Awaitable<T>;
  encode(object: T): Uint8Array;
  restamp(object: T, revision: number): T;
  readonly indexes: Readonly<Record<string, (object: T, key: string) => readonly string[]>>;
  onProblem?(problem: TapError): void;
}

/** Opens a cache; the platform passes in the store stage's function. */
export type OpenWatchCache = <T>(options: WatchCacheOptions<T>) => WatchCache<T>;
