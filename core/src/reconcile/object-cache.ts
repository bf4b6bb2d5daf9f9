/** Names the values under which an object is found; pure, and cheap, since it runs at every change. */
export type Indexer<T> = (object: T) => readonly string[];

/** Objects by key, and the keys under each value of each index. */
export class ObjectCache<T> {
  private readonly objects = new Map<string, T>();
  private readonly indexers: readonly (readonly [Indexer<T>, Map<string, Set<string>>])[];
  private readonly indexes: ReadonlyMap<string, Map<string, Set<string>>>;

  /** An object for which an indexer throws is in no place of that index; `onError` is told. */
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
      return { name, indexer: caught, values: new Map<string, Set<string>>() };
    });
    this.indexers = named.map(({ indexer, values }) => [indexer, values]);
    this.indexes = new Map(named.map(({ name, values }) => [name, values]));
  }

  get size(): number {
    return this.objects.size;
  }

  get(key: string): T | undefined {
    return this.objects.get(key);
  }

  keys(): IterableIterator<string> {
    return this.objects.keys();
  }

  values(): IterableIterator<T> {
    return this.objects.values();
  }

  byIndex(name: string, value: string): T[] {
    const found: T[] = [];
    for (const key of this.indexes.get(name)?.get(value) ?? []) {
      const object = this.objects.get(key);
      if (object !== undefined) found.push(object);
    }
    return found;
  }

  set(key: string, object: T): void {
    const previous = this.objects.get(key);
    for (const [indexer, values] of this.indexers) {
      if (previous !== undefined) withdraw(values, indexer(previous), key);
      for (const value of indexer(object)) {
        const keys = values.get(value);
        if (keys === undefined) values.set(value, new Set([key]));
        else keys.add(key);
      }
    }
    this.objects.set(key, object);
  }

  delete(key: string): void {
    const previous = this.objects.get(key);
    if (previous === undefined) return;
    for (const [indexer, values] of this.indexers) withdraw(values, indexer(previous), key);
    this.objects.delete(key);
  }
}

function withdraw(values: Map<string, Set<string>>, before: readonly string[], key: string): void {
  for (const value of before) {
    const keys = values.get(value);
    keys?.delete(key);
    if (keys?.size === 0) values.delete(value);
  }
}
