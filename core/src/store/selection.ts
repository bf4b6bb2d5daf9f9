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
