import { createHash } from 'node:crypto';
import type { KubernetesObject, Immutable, OwnerReference } from '@tappaas/sdk';

/** Letters and digits that form no words and are not easily confused. */
const alphabet = 'bcdfghjklmnpqrstvwxz2456789';

/** Derives a short word from a text, always the same one. */
export function wordOf(text: string, length: number): string {
  const digest = createHash('sha256').update(text).digest();
  return Array.from(digest.subarray(0, length), (byte) => alphabet[byte % alphabet.length]).join('');
}

/** Joins a name and a suffix, shortening the name so that the result remains a valid name. */
export const suffixed = (name: string, suffix: string): string => `${name.slice(0, 62 - suffix.length).replace(/[-.]+$/, '')}-${suffix}`;

/** The owner reference of an object to its controller. */
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
