import type { ResourceStore } from '@tappaas/sdk';

/** One JSON value of the platform's own in the store, under a key of its own that no kind shows. */
export interface StoreRecord<T> {
  load(): Promise<T | undefined>;
  /** Writes whatever was there before. */
  save(value: T): Promise<void>;
  /** False when there is one already. */
  create(value: T): Promise<boolean>;
  remove(): Promise<void>;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();

export function storeRecord<T>(store: ResourceStore, key: string): StoreRecord<T> {
  const bytesOf = (value: T) => encoder.encode(JSON.stringify(value));
  return {
    async load() {
      const found = await store.get(key);
      return found && (JSON.parse(decoder.decode(found.value)) as T);
    },
    async save(value) {
      await store.transact({ changes: [{ put: key, value: bytesOf(value) }] });
    },
    async create(value) {
      return (await store.transact({ guards: [{ key, modRevision: 0 }], changes: [{ put: key, value: bytesOf(value) }] })).ok;
    },
    async remove() {
      await store.transact({ changes: [{ delete: key }] });
    },
  };
}
