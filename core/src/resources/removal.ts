import type { KindEntry } from './kind-entry.js';
import type { Body } from './stored-object.js';

/** Whether a deleted object can be removed: nothing holds it any longer. */
export function isRemovable(entry: KindEntry, object: Body): boolean {
  const { deletionTimestamp, deletionGracePeriodSeconds = 0, finalizers = [] } = object.metadata;
  if (deletionTimestamp === undefined || deletionGracePeriodSeconds > 0) return false;
  return finalizers.length === 0 && !(entry.strategy.isHeld?.(object) ?? false);
}
