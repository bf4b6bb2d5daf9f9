import type { ObjectMeta } from './stored-object.js';
import { equalJson } from './schema/json-value.js';
import type { WriteOptions } from './write-options.js';

/**
 * Whether a write gives an object that exists other owners than it has. The garbage collector deletes it when none of them is there, so such a
 * write can delete. One that leaves no owner cannot.
 */
export function changesOwners(before: ObjectMeta, after: ObjectMeta): boolean {
  const owners = after.ownerReferences ?? [];
  return owners.length > 0 && !equalJson(owners, before.ownerReferences ?? []);
}

/** `next`, once the caller may give the object these owners. Answers a promise only where that has to be asked. */
export function withPermittedOwners<T extends { readonly metadata: ObjectMeta }>(
  previous: T,
  next: T,
  options: WriteOptions,
): T | Promise<T> {
  const { authorizeOwners } = options;
  if (authorizeOwners === undefined || !changesOwners(previous.metadata, next.metadata)) return next;
  return authorizeOwners().then(() => next);
}
