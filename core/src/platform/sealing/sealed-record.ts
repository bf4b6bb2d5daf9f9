import type { ResourceStore } from '@tappaas/sdk';
import type { Sealer } from '../../secrets/envelope.js';

/** One sealed JSON value of the platform in the store, written with optimistic concurrency. */
export interface SealedRecord<T> {
  load(): Promise<{ readonly value: T; readonly revision: number } | undefined>;
  /** Writes only if the record still has `revision` (0: does not exist). Returns whether it was written. */
  replace(value: T, revision: number): Promise<boolean>;
}

/** Envelopes are bound to their key in the store and to this. */
const uid = 'platform';

export function sealedRecord<T>(store: ResourceStore, key: string, sealer: Sealer): SealedRecord<T> {
  const write = async (value: T, revision: number): Promise<boolean> => {
    const sealed = await sealer.seal(new TextEncoder().encode(JSON.stringify(value)), { key, uid });
    return (await store.transact({ guards: [{ key, modRevision: revision }], changes: [{ put: key, value: sealed }] })).ok;
  };
  const record: SealedRecord<T> = {
    async load() {
      const found = await store.get(key);
      if (found === undefined) return undefined;
      const value = JSON.parse(new TextDecoder().decode(await sealer.open(found.value, key))) as T;
      // The key-encryption key was replaced, so seal again, in order not to need the old one for long.
      if (!sealer.isCurrent(found.value) && (await write(value, found.modRevision))) return record.load();
      return { value, revision: found.modRevision };
    },
    replace: write,
  };
  return record;
}
