import type { CacheEntry } from './cache-entry.js';

/** Holds for objects that have any of `values` in an index, such as `{ index: 'label', values: ['app=shop'] }`. */
export interface IndexTerm {
  readonly index: string;
  readonly values: readonly string[];
}

/** Which entries a list or a watch is about; everything given must hold. */
export interface Selection<T> {
  /** A key prefix, such as the kind's prefix and a namespace. Default: the whole cache. */
  readonly within?: string;
  /** Answered by indexes: a list costs what the smallest of these terms selects. */
  readonly where?: readonly IndexTerm[];
  /** Asked for each candidate the indexes leave over; pure. */
  readonly matches?: (entry: CacheEntry<T>) => boolean;
}

/** The values under which an object is found in each index. */
export type IndexFunctions<T> = Readonly<Record<string, (object: T, key: string) => readonly string[]>>;

/** The selection as a question about one entry, for entries that stand in no index: those of the past and those of events. */
export function predicate<T>(
  { within = '', where = [], matches }: Selection<T>,
  indexes: IndexFunctions<T>,
): (entry: CacheEntry<T>) => boolean {
  const terms = where.map(({ index, values }) => ({ valuesOf: indexFunction(indexes, index), values: new Set(values) }));
  return (entry) =>
    entry.key.startsWith(within) &&
    terms.every(({ valuesOf, values }) => valuesOf(entry.object, entry.key).some((value) => values.has(value))) &&
    (matches === undefined || matches(entry));
}

/** @throws when the index was not declared, which is a mistake of the caller */
export function indexFunction<T>(indexes: IndexFunctions<T>, name: string): IndexFunctions<T>[string] {
  const found = indexes[name];
  if (found === undefined) throw new TypeError(`no index ${name}, expected one of ${Object.keys(indexes).join(', ')}`);
  return found;
}
