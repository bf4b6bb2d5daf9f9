import { compareKeys } from '@tappaas/sdk';
import type { CacheEntry } from './cache-entry.js';
import type { CacheIndex } from './cache-index.js';
import { predicate, type IndexFunctions, type Selection } from './selection.js';

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
  /** How many items follow this page; known only of the present, without `matches` and with at most one single-valued term. */
  readonly remaining?: number;
}

/** What a key that has changed since was at the revision of a list; undefined: not there. */
export type Overlay<T> = ReadonlyMap<string, CacheEntry<T> | undefined>;

/** Takes one page; `overlay` turns the index of now into that of the revision asked for. */
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

/** The entries of now without those that have changed since, merged with what these were. */
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
