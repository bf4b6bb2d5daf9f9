import { compareKeys, keyAfterPrefix, SortedKeys } from '@tappaas/sdk';
import type { CacheEntry } from './cache-entry.js';
import { indexFunction, type IndexFunctions, type IndexTerm, type Selection } from './selection.js';

const fewKeys = 64;

/** The keys under one index value. Most values, such as a uid, have a single key, which is stored without a set. */
type Posting = string | SortedKeys;

/** The current entries: by key, in key order, and by index value. */
export class CacheIndex<T> {
  readonly #functions: IndexFunctions<T>;
  readonly #entries = new Map<string, CacheEntry<T>>();
  readonly #keys = new SortedKeys();
  /** By index name, then by value. */
  readonly #postings: ReadonlyMap<string, Map<string, Posting>>;

  constructor(functions: IndexFunctions<T>) {
    this.#functions = functions;
    this.#postings = new Map(Object.keys(functions).map((name) => [name, new Map()]));
  }

  get size(): number {
    return this.#entries.size;
  }

  get(key: string): CacheEntry<T> | undefined {
    return this.#entries.get(key);
  }

  put(entry: CacheEntry<T>): void {
    const previous = this.#entries.get(entry.key);
    this.#entries.set(entry.key, entry);
    if (previous === undefined) this.#keys.add(entry.key);
    this.#repost(entry.key, previous, entry);
  }

  delete(key: string): void {
    const previous = this.#entries.get(key);
    if (previous === undefined) return;
    this.#entries.delete(key);
    this.#keys.delete(key);
    this.#repost(key, previous, undefined);
  }

  /** Yields the entries after `after` in key order that match the selection's prefix and terms; `matches` is not evaluated. */
  *select({ within = '', where = [] }: Selection<T>, after: string | undefined): Generator<CacheEntry<T>, void, undefined> {
    const start = startOf(within, after);
    const end = within === '' ? undefined : keyAfterPrefix(within);
    const [first, ...rest] = this.#bySize(where, start, end);
    for (const key of first === undefined ? this.#keys.between(start, end) : merged(this.#postingsOf(first), start, end)) {
      if (rest.every((term) => this.#holds(term, key))) yield this.#entries.get(key) as CacheEntry<T>;
    }
  }

  /** Returns how many entries {@link select} would yield, or undefined if that requires walking them (more than one single-valued term). */
  count({ within = '', where = [] }: Selection<T>, after: string | undefined): number | undefined {
    const [term, ...others] = where;
    if (others.length > 0 || (term !== undefined && term.values.length !== 1)) return undefined;
    const keys = term === undefined ? this.#keys : this.#postingsOf(term)[0];
    return keys?.countBetween(startOf(within, after), within === '' ? undefined : keyAfterPrefix(within)) ?? 0;
  }

  /** Sorts the terms by cost, cheapest first, preceded by undefined if walking all keys in the interval is cheaper still. */
  #bySize(where: readonly IndexTerm[], start: string, end: string | undefined): readonly (IndexTerm | undefined)[] {
    if (where.length === 0) return [];
    const sized = where.map((term) => ({ term, size: this.#postingsOf(term).reduce((sum, keys) => sum + keys.size, 0) }));
    sized.sort((left, right) => left.size - right.size);
    const terms = sized.map(({ term }) => term);
    const smallest = sized[0]?.size ?? 0;
    // Counting the interval has a cost too, so small terms are not compared with it.
    if (end === undefined || smallest <= fewKeys) return terms;
    return smallest > this.#keys.countBetween(start, end) ? [undefined, ...terms] : terms;
  }

  #holds(term: IndexTerm | undefined, key: string): boolean {
    return term === undefined || this.#postingsOf(term).some((keys) => keys.has(key));
  }

  #postingsOf({ index, values }: IndexTerm): readonly SortedKeys[] {
    indexFunction(this.#functions, index);
    return values.flatMap((value) => keysOf(this.#postings.get(index)?.get(value)));
  }

  #repost(key: string, previous: CacheEntry<T> | undefined, current: CacheEntry<T> | undefined): void {
    for (const [name, valuesOf] of Object.entries(this.#functions)) {
      const before = previous === undefined ? [] : valuesOf(previous.object, key);
      const now = current === undefined ? [] : valuesOf(current.object, key);
      const postings = this.#postings.get(name) as Map<string, Posting>;
      for (const value of before) if (!now.includes(value)) remove(postings, value, key);
      for (const value of now) if (!before.includes(value)) add(postings, value, key);
    }
  }
}

function keysOf(posting: Posting | undefined): readonly SortedKeys[] {
  if (posting === undefined) return [];
  return [typeof posting === 'string' ? sorted(posting) : posting];
}

function add(postings: Map<string, Posting>, value: string, key: string): void {
  const found = postings.get(value);
  if (found === undefined) postings.set(value, key);
  else if (typeof found !== 'string') found.add(key);
  else if (found !== key) postings.set(value, sorted(found, key));
}

function remove(postings: Map<string, Posting>, value: string, key: string): void {
  const found = postings.get(value);
  if (found === undefined || (typeof found === 'string' && found !== key)) return;
  if (typeof found !== 'string') found.delete(key);
  if (typeof found === 'string' || found.size === 0) postings.delete(value);
}

function sorted(...keys: readonly string[]): SortedKeys {
  const set = new SortedKeys();
  for (const key of keys) set.add(key);
  return set;
}

/**
 * Returns where to start reading: at `within`, or after the key `after`. Keys contain no NUL, so the key followed by NUL is its successor.
 */
function startOf(within: string, after: string | undefined): string {
  return after === undefined || compareKeys(after, within) < 0 ? within : `${after}\0`;
}

/** Merges several postings in key order without duplicates. */
function* merged(postings: readonly SortedKeys[], start: string, end: string | undefined): Generator<string, void, undefined> {
  if (postings.length === 1) return yield* (postings[0] as SortedKeys).between(start, end);
  const heads = postings.map((keys) => keys.between(start, end));
  const next = heads.map((head) => head.next().value);
  for (;;) {
    const least = next.reduce((min, key) => (min === undefined || (key !== undefined && compareKeys(key, min) < 0) ? key : min), undefined);
    if (least === undefined) return;
    yield least;
    for (const [index, key] of next.entries()) if (key === least) next[index] = heads[index]?.next().value;
  }
}
