import type { Awaitable, Clock, KeyValue, ResourceStore, TapError } from '@tappaas/sdk';

/**
 * The watch cache as the engine needs it; the store stage makes one and the platform hands the maker over.
 */
export interface CacheEntry<T> {
  readonly key: string;
  readonly object: T;
  readonly revision: number;
}

/** One change as a reader of a selection sees it. */
export interface CacheEvent<T> {
  readonly type: 'added' | 'modified' | 'deleted';
  readonly revision: number;
  readonly entry: CacheEntry<T>;
  readonly previous?: CacheEntry<T>;
}

/** Which entries are meant; everything given must hold. */
export interface Selection<T> {
  readonly within?: string;
  readonly where?: readonly { readonly index: string; readonly values: readonly string[] }[];
  readonly matches?: (entry: CacheEntry<T>) => boolean;
}

/** What a list answers. */
export interface CachePage<T> {
  readonly revision: number;
  readonly items: readonly CacheEntry<T>[];
  readonly after?: string;
  readonly remaining?: number;
}

/** Whole revisions in order; no events is a bookmark. */
export interface CacheBatch<T> {
  readonly revision: number;
  readonly events: readonly CacheEvent<T>[];
}

/** An open watch; iterated once. */
export interface CacheWatch<T> extends AsyncIterable<CacheBatch<T>> {
  readonly revision: number;
  close(): void;
}

/** The objects of one key prefix, kept in step with the store; reads are synchronous. */
export interface WatchCache<T> {
  readonly revision: number;
  /** The last revision that changed something in the cache. */
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
      /** Watches that give the same name select the same. */
      readonly name?: string;
    },
  ): CacheWatch<T>;
  close(): Promise<void>;
}

/** What a cache is made from. */
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

/** Makes a cache; the platform passes the store stage's. */
export type OpenWatchCache = <T>(options: WatchCacheOptions<T>) => WatchCache<T>;
