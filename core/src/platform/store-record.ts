import type { ResourceStore } from '@tappaas/sdk';

/** One JSON value of the platform in the store, with its own key, which no kind shows. */
export interface StoreRecord<T> {
  load(): Promise<T | undefined>;
  /** Overwrites any existing value. */
  save(value: T): Promise<void>;
  /** Returns false if there is a value already. */
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
