import { createHash } from 'node:crypto';
import type { KubernetesObject, Immutable, OwnerReference } from '@tappaas/sdk';

/** Letters and digits that form no words and are not mistaken for one another. */
const alphabet = 'bcdfghjklmnpqrstvwxz2456789';

/** A short word derived from a text; the same text gives the same word. */
export function wordOf(text: string, length: number): string {
  const digest = createHash('sha256').update(text).digest();
  return Array.from(digest.subarray(0, length), (byte) => alphabet[byte % alphabet.length]).join('');
}

/** Joins a name and a suffix, cutting the name so that the whole stays a valid name. */
export const suffixed = (name: string, suffix: string): string => `${name.slice(0, 62 - suffix.length).replace(/[-.]+$/, '')}-${suffix}`;

/** The reference by which an owner steers what it makes. */
export function controllerReference(owner: Immutable<KubernetesObject>): OwnerReference {
  return {
    apiVersion: owner.apiVersion,
    kind: owner.kind,
    name: owner.metadata.name ?? '',
    uid: owner.metadata.uid ?? '',
    controller: true,
    blockOwnerDeletion: true,
  };
}
