import type { ResourceStore } from '@tappaas/sdk';
import type { Sealer } from './envelope.js';

/** Progress of a reencryption. */
export interface ReencryptionResult {
  /** Number of sealed values examined. */
  readonly examined: number;
  readonly resealed: number;
  /** False when it was interrupted and must be run again. */
  readonly isComplete: boolean;
}

const pageItems = 100;

/** The first characters of all keys in a store are within this range. */
const everything = { start: '!', end: '~' };

/**
 * Seals all values in the store that are under an older key with the current one, including those of kinds whose plugins are not loaded,
 * and kept responses. May be interrupted and run again, since it depends only on the stored values. A value that changes meanwhile was
 * sealed by its writer, with the current key once every process knows it.
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
