import type { CachedObject } from './source.js';

interface Managed {
  readonly metadata: { readonly managedFields?: readonly object[] };
}

/** Returns the object without its managed fields, which take 40 % of a raw pod's memory and matter only to the API server. */
export function withoutManagedFields<T extends CachedObject>(object: T): T {
  const { managedFields, ...metadata } = (object as Managed).metadata;
  return managedFields === undefined ? object : { ...object, metadata };
}
