import type { ObjectMeta } from './stored-object.js';
import { equalJson } from './schema/json-value.js';
import type { WriteOptions } from './write-options.js';

/**
 * Whether a write changes the owners of an existing object. The garbage collector deletes an object when none of its owners exists, so such
 * a write can delete it. A write that leaves no owner cannot.
 */
export function changesOwners(before: ObjectMeta, after: ObjectMeta): boolean {
  const owners = after.ownerReferences ?? [];
  return owners.length > 0 && !equalJson(owners, before.ownerReferences ?? []);
}

/** Returns `next` once the caller is permitted to set these owners; a promise only if that has to be checked. */
export function withPermittedOwners<T extends { readonly metadata: ObjectMeta }>(
  previous: T,
  next: T,
  options: WriteOptions,
): T | Promise<T> {
  const { authorizeOwners } = options;
  if (authorizeOwners === undefined || !changesOwners(previous.metadata, next.metadata)) return next;
  return authorizeOwners().then(() => next);
}
