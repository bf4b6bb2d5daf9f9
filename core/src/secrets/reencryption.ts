import type { ResourceStore } from '@tappaas/sdk';
import type { Sealer } from './envelope.js';

/** What a reencryption did so far. */
export interface ReencryptionResult {
  /** Sealed values that were looked at. */
  readonly examined: number;
  readonly resealed: number;
  /** False when it was cut off: run it again. */
  readonly isComplete: boolean;
}

const pageItems = 100;

/** Every key of a store begins with a character between these. */
const everything = { start: '!', end: '~' };

/**
 * Seals everything in the store with the current key that is still under an older one, whosever it is: kinds of plugins that are not
 * loaded and kept answers too. May be cut off and run again: it goes by what it finds. A value that changes meanwhile was sealed by
 * whoever changed it, with the current key once every process knows it.
 */
export async function reencrypt(store: ResourceStore, sealer: Sealer, signal: AbortSignal): Promise<ReencryptionResult> {
  let examined = 0;
  let resealed = 0;
  let { start } = everything;
  for (let more = true; more;) {
    if (signal.aborted) return { examined, resealed, isComplete: false };
    const page = await store.range({ start, end: everything.end, itemsMax: pageItems });
    for (const { key, value, modRevision, lease } of page.items) {
      if (!sealer.isSealed(value)) continue;
      examined += 1;
      if (sealer.isCurrent(value)) continue;
      const put = { put: key, value: await sealer.reseal(value, key), ...(lease !== undefined && { lease }) };
      const { ok } = await store.transact({ guards: [{ key, modRevision }], changes: [put] });
      if (ok) resealed += 1;
    }
    const last = page.items.at(-1);
    more = page.more && last !== undefined;
    if (last) start = `${last.key}\0`;
  }
  return { examined, resealed, isComplete: true };
}
