import type { Immutable, KubernetesObject } from '@tappaas/sdk';
import { refKey, type ObjectRef } from './object-ref.js';

/**
 * One object that an owner has on its cluster. Written before the object is first applied, so that nothing is ever on a cluster
 * that no inventory names.
 */
export interface InventoryEntry extends ObjectRef {
  /** Absent between the first writing of the entry and the answer to the first apply. */
  readonly uid?: string;
  /** Digest of what was applied last. */
  readonly intentHash?: string;
}

/** Who an object belongs to, in the labels that it carries. */
export interface Ownership {
  /** The platform's own id: everything it makes on any cluster carries it. */
  readonly installation: string;
  /** The uid of the object that was rendered. */
  readonly owner: string;
}

export const installationLabel = 'tappaas.dev/installation';
export const ownerLabel = 'tappaas.dev/owner';

export function ownershipLabels({ installation, owner }: Ownership): Readonly<Record<string, string>> {
  return { [installationLabel]: installation, [ownerLabel]: owner };
}

/** The ownership of an object on a cluster, as seen by one owner. */
export type Standing =
  | { readonly is: 'ours' }
  /** Another owner of this installation has it. */
  | { readonly is: 'another'; readonly owner: string }
  /** Nobody of this installation made it. */
  | { readonly is: 'foreign' };

/** The uid in the inventory proves that an object is ours even when somebody took its labels away. */
export function standingOf(live: Immutable<KubernetesObject>, entry: InventoryEntry | undefined, ownership: Ownership): Standing {
  if (entry?.uid !== undefined && entry.uid === live.metadata.uid) return { is: 'ours' };
  const { labels = {} } = live.metadata;
  if (labels[installationLabel] !== ownership.installation) return { is: 'foreign' };
  const owner = labels[ownerLabel];
  return owner === undefined || owner === ownership.owner ? { is: 'ours' } : { is: 'another', owner };
}

/** The inventory by object. */
export function inventoryByKey(entries: readonly InventoryEntry[]): ReadonlyMap<string, InventoryEntry> {
  return new Map(entries.map((entry) => [refKey(entry), entry]));
}

export function isSameInventory(one: readonly InventoryEntry[], other: readonly InventoryEntry[]): boolean {
  if (one.length !== other.length) return false;
  const known = inventoryByKey(one);
  return other.every((entry) => {
    const present = known.get(refKey(entry));
    return (
      present !== undefined &&
      present.uid === entry.uid &&
      present.intentHash === entry.intentHash &&
      present.apiVersion === entry.apiVersion
    );
  });
}
