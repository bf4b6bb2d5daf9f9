import type { Key } from '@tappaas/sdk';

const pruneFirst = 1000;

/**
 * What a controller remembers of its objects between runs, by key. Controllers are not notified of deletions, so whenever the number of
 * entries has doubled, `prune` checks which objects still exist; the memory is thus bounded by about twice the number of objects.
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

  /** Removes entries of objects that no longer exist, if there are enough entries to justify the checks. Returns the removed entries. */
  async prune(exists: (key: Key) => Promise<boolean>): Promise<readonly { readonly key: Key; readonly value: T }[]> {
    if (this.#values.size < this.#pruneAt) return [];
    const removed: { readonly key: Key; readonly value: T }[] = [];
    for (const entry of this.#values.values()) if (!(await exists(entry.key))) removed.push(entry);
    for (const { key } of removed) this.forget(key);
    this.#pruneAt = Math.max(pruneFirst, this.#values.size * 2);
    return removed;
  }
}

const textOf = ({ namespace = '', name }: Key): string => `${namespace}/${name}`;
