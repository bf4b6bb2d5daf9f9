import { compareKeys } from '@tappaas/sdk';
import type { CacheEntry } from './cache-entry.js';
import type { CacheIndex } from './cache-index.js';
import { predicate, type IndexFunctions, type Selection } from './selection.js';

/** A page of entries in key order. The next page of the same list takes `after` of the last page and its `revision`. */
export interface CacheQuery<T> extends Selection<T> {
  /** Continue after this key (excluded). */
  readonly after?: string;
  /** Default: no limit. */
  readonly itemsMax?: number;
  /** Default: the newest revision in the cache. */
  readonly revision?: number;
}

/** The result of a list. */
export interface CachePage<T> {
  readonly revision: number;
  readonly items: readonly CacheEntry<T>[];
  /** The key to continue after; absent on the last page. */
  readonly after?: string;
  /** How many items follow this page. Known only for the current revision, without `matches`, and with at most one single-valued term. */
  readonly remaining?: number;
}

/** The state at a past revision of each key that has changed since; undefined where the key did not exist. */
export type Overlay<T> = ReadonlyMap<string, CacheEntry<T> | undefined>;

/** Takes one page; `overlay` turns the current index into that of the requested revision. */
export function takePage<T>(
  index: CacheIndex<T>,
  overlay: Overlay<T>,
  functions: IndexFunctions<T>,
  query: CacheQuery<T>,
): Omit<CachePage<T>, 'revision'> {
  const { itemsMax = Infinity, matches } = query;
  const items: CacheEntry<T>[] = [];
  const found = overlay.size === 0 ? present(index, query) : past(index, overlay, functions, query);
  for (const entry of found) {
    if (items.length === itemsMax) return { items, ...following(index, overlay, query, items.at(-1)?.key as string) };
    if (matches === undefined || matches(entry)) items.push(entry);
  }
  return { items };
}

function following<T>(
  index: CacheIndex<T>,
  overlay: Overlay<T>,
  query: CacheQuery<T>,
  after: string,
): Pick<CachePage<T>, 'after' | 'remaining'> {
  const remaining = overlay.size === 0 && query.matches === undefined ? index.count(query, after) : undefined;
  return { after, ...(remaining !== undefined && { remaining }) };
}

function present<T>(index: CacheIndex<T>, query: CacheQuery<T>): Iterable<CacheEntry<T>> {
  return index.select(query, query.after);
}

/** Yields the current entries that have not changed since, merged with the past states of those that have. */
function* past<T>(
  index: CacheIndex<T>,
  overlay: Overlay<T>,
  functions: IndexFunctions<T>,
  query: CacheQuery<T>,
): Generator<CacheEntry<T>, void, undefined> {
  const selected = predicate({ ...query, matches: () => true }, functions);
  const old = [...overlay.values()]
    .filter((entry) => entry !== undefined && (query.after === undefined || compareKeys(entry.key, query.after) > 0) && selected(entry))
    .toSorted((left, right) => compareKeys(left?.key ?? '', right?.key ?? '')) as CacheEntry<T>[];
  let next = 0;
  for (const entry of index.select(query, query.after)) {
    if (overlay.has(entry.key)) continue;
    while (next < old.length && compareKeys(old[next]?.key ?? '', entry.key) < 0) yield old[next++] as CacheEntry<T>;
    yield entry;
  }
  yield* old.slice(next);
}
