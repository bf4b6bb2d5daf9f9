import type { Key } from '@tappaas/sdk';

const pruneFirst = 1000;

/**
 * What a controller remembers of its objects between runs, by key. Deletions are not told to controllers, so each time it has doubled
 * it asks which of the objects still exist; what it holds is therefore bounded by twice the number of objects.
 */
export class KeyMemory<T> {
  readonly #values = new Map<string, { readonly key: Key; readonly value: T }>();
  #pruneAt = pruneFirst;

  get size(): number {
    return this.#values.size;
  }

  remember(key: Key, value: T): void {
    this.#values.set(textOf(key), { key, value });
  }

  forget(key: Key): void {
    this.#values.delete(textOf(key));
  }

  get(key: Key): T | undefined {
    return this.#values.get(textOf(key))?.value;
  }

  keys(): readonly Key[] {
    return [...this.#values.values()].map(({ key }) => key);
  }

  /** Drops what no longer exists, when there is enough of it to be worth the question. Gives what was dropped. */
  async prune(exists: (key: Key) => Promise<boolean>): Promise<readonly { readonly key: Key; readonly value: T }[]> {
    if (this.#values.size < this.#pruneAt) return [];
    const gone: { readonly key: Key; readonly value: T }[] = [];
    for (const entry of this.#values.values()) if (!(await exists(entry.key))) gone.push(entry);
    for (const { key } of gone) this.forget(key);
    this.#pruneAt = Math.max(pruneFirst, this.#values.size * 2);
    return gone;
  }
}

const textOf = ({ namespace = '', name }: Key): string => `${namespace}/${name}`;
