/** Returns the values under which an object is indexed. Must be pure and cheap, since it runs on every change. */
export type Indexer<T> = (object: T) => readonly string[];

/** The keys under one index value. Most values, such as a uid, have a single key, which is stored without a set. */
type Keys = string | Set<string>;

/** Objects by key, each in its stored form, and the keys under each index value. */
export class ObjectCache<T, K extends { readonly object: T } = { readonly object: T }> {
  readonly #objects = new Map<string, K>();
  readonly #indexers: readonly (readonly [Indexer<T>, Map<string, Keys>])[];
  readonly #indexes: ReadonlyMap<string, Map<string, Keys>>;

  /** An object for which an indexer throws is left out of that index, and `onError` is called. */
  constructor(indexers: Readonly<Record<string, Indexer<T>>>, onError: (error: unknown) => void) {
    const named = Object.entries(indexers).map(([name, indexer]) => {
      const caught = (object: T): readonly string[] => {
        try {
          return indexer(object);
        } catch (error) {
          onError(error);
          return [];
        }
      };
      return { name, indexer: caught, values: new Map<string, Keys>() };
    });
    this.#indexers = named.map(({ indexer, values }) => [indexer, values]);
    this.#indexes = new Map(named.map(({ name, values }) => [name, values]));
  }

  get size(): number {
    return this.#objects.size;
  }

  get(key: string): T | undefined {
    return this.#objects.get(key)?.object;
  }

  keys(): IterableIterator<string> {
    return this.#objects.keys();
  }

  *values(): Generator<T, void, undefined> {
    for (const { object } of this.#objects.values()) yield object;
  }

  keysByIndex(name: string, value: string): Iterable<string> {
    return keysOf(this.#indexes.get(name)?.get(value));
  }

  byIndex(name: string, value: string): T[] {
    const found: T[] = [];
    for (const key of this.keysByIndex(name, value)) {
      const kept = this.#objects.get(key);
      if (kept !== undefined) found.push(kept.object);
    }
    return found;
  }

  set(key: string, kept: K): void {
    const previous = this.#objects.get(key);
    for (const [indexer, values] of this.#indexers) {
      const before = previous === undefined ? [] : indexer(previous.object);
      const now = indexer(kept.object);
      for (const value of before) if (!now.includes(value)) withdraw(values, value, key);
      for (const value of now) if (!before.includes(value)) file(values, value, key);
    }
    this.#objects.set(key, kept);
  }

  delete(key: string): void {
    const previous = this.#objects.get(key);
    if (previous === undefined) return;
    for (const [indexer, values] of this.#indexers) for (const value of indexer(previous.object)) withdraw(values, value, key);
    this.#objects.delete(key);
  }
}

function keysOf(keys: Keys | undefined): Iterable<string> {
  return keys === undefined ? [] : typeof keys === 'string' ? [keys] : keys;
}

function file(values: Map<string, Keys>, value: string, key: string): void {
  const keys = values.get(value);
  if (keys === undefined) values.set(value, key);
  else if (typeof keys !== 'string') keys.add(key);
  else if (keys !== key) values.set(value, new Set([keys, key]));
}

function withdraw(values: Map<string, Keys>, value: string, key: string): void {
  const keys = values.get(value);
  if (keys === undefined || (typeof keys === 'string' && keys !== key)) return;
  if (typeof keys !== 'string') keys.delete(key);
  if (typeof keys === 'string' || keys.size === 0) values.delete(value);
}
