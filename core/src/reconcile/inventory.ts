import type { Immutable, KubernetesObject } from '@tappaas/sdk';
import { refKey, type ObjectRef } from './object-ref.js';

/**
 * One object that an owner has on its cluster. The entry is written before the object is first applied, so that no object is ever on a
 * cluster without being in an inventory.
 */
export interface InventoryEntry extends ObjectRef {
  /** Undefined from the writing of the entry until the response to the first apply. */
  readonly uid?: string;
  /** Digest of the last applied intent. */
  readonly intentHash?: string;
}

/** The ownership of an object, as recorded in its labels. */
export interface Ownership {
  /** Id of this installation; everything it creates on any cluster carries it. */
  readonly installation: string;
  /** The uid of the object from which it was rendered. */
  readonly owner: string;
}

export const installationLabel = 'tappaas.dev/installation';
export const ownerLabel = 'tappaas.dev/owner';

export function ownershipLabels({ installation, owner }: Ownership): Readonly<Record<string, string>> {
  return { [installationLabel]: installation, [ownerLabel]: owner };
}

/** The ownership of a live object, from one owner's point of view. */
export type OwnershipState =
  | { readonly is: 'ours' }
  /** It belongs to another owner of this installation. */
  | { readonly is: 'another'; readonly owner: string }
  /** It was not created by this installation. */
  | { readonly is: 'foreign' };

/** Determines ownership. The uid in the inventory proves that an object is ours even if its labels were removed. */
export function ownershipStateOf(
  live: Immutable<KubernetesObject>,
  entry: InventoryEntry | undefined,
  ownership: Ownership,
): OwnershipState {
  if (entry?.uid !== undefined && entry.uid === live.metadata.uid) return { is: 'ours' };
  const { labels = {} } = live.metadata;
  if (labels[installationLabel] !== ownership.installation) return { is: 'foreign' };
  const owner = labels[ownerLabel];
  return owner === undefined || owner === ownership.owner ? { is: 'ours' } : { is: 'another', owner };
}

/** Indexes the inventory by object. */
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
