import type { ResourceStore } from '@tappaas/sdk';
import type { Sealer } from './envelope.js';

/** What a reencryption did so far. */
export interface ReencryptionResult {
  readonly examined: number;
  readonly resealed: number;
  /** False when it was cut off: run it again. */
  readonly isComplete: boolean;
}

const pageItems = 100;

/**
 * Seals everything under `prefixes` with the current key that is still under an older one; what does not end in a slash is a key.
 * May be cut off and run again: it goes by what it finds. A value that changes meanwhile was sealed with the current key by whoever changed it.
 */
export async function reencrypt(
  store: ResourceStore,
  sealer: Sealer,
  prefixes: readonly string[],
  signal: AbortSignal,
): Promise<ReencryptionResult> {
  let examined = 0;
  let resealed = 0;
  for (const prefix of prefixes) {
    const end = prefix.endsWith('/') ? `${prefix.slice(0, -1)}0` : `${prefix}\0`;
    for (let start = prefix, more = true; more;) {
      if (signal.aborted) return { examined, resealed, isComplete: false };
      const page = await store.range({ start, end, itemsMax: pageItems });
      for (const { key, value, modRevision, lease } of page.items) {
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
  }
  return { examined, resealed, isComplete: true };
}
