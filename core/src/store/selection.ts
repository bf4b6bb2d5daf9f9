import type { CacheEntry } from './cache-entry.js';

/** Matches objects that have any of `values` in an index, such as `{ index: 'label', values: ['app=shop'] }`. */
export interface IndexTerm {
  readonly index: string;
  readonly values: readonly string[];
}

/** Selects entries for a list or a watch; an entry must satisfy all given conditions. */
export interface Selection<T> {
  /** A key prefix, such as the kind's prefix and a namespace. Default: the whole cache. */
  readonly within?: string;
  /** Terms answered by indexes: a list costs as much as the term that selects the fewest entries. */
  readonly where?: readonly IndexTerm[];
  /** Pure predicate, evaluated for each candidate that the indexes leave. */
  readonly matches?: (entry: CacheEntry<T>) => boolean;
}

/** Functions that return the values of an object in each index. */
export type IndexFunctions<T> = Readonly<Record<string, (object: T, key: string) => readonly string[]>>;

/** Turns a selection into a predicate, for entries that are in no index: those of past revisions and of events. */
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

/** @throws TypeError when the index was not declared, which is a mistake of the caller */
export function indexFunction<T>(indexes: IndexFunctions<T>, name: string): IndexFunctions<T>[string] {
  const found = indexes[name];
  if (found === undefined) throw new TypeError(`no index ${name}, expected one of ${Object.keys(indexes).join(', ')}`);
  return found;
}
