import type { CachedObject } from './source.js';

interface ManagedFieldsEntry {
  readonly manager?: string;
}

interface Managed {
  readonly metadata: { readonly managedFields?: readonly ManagedFieldsEntry[] };
}

/** The object without its managed fields, which are 40 % of a raw pod's memory and of interest to the API server only. */
export function withoutManagedFields<T extends CachedObject>(object: T): T {
  return keepingManager<T>(undefined)(object);
}

/** Keeps what `manager` owns, which an apply set compares with, and drops what everybody else does. */
export function keepingManager<T extends CachedObject>(manager: string | undefined): (object: T) => T {
  return (object) => {
    const { managedFields, ...metadata } = (object as Managed).metadata;
    if (managedFields === undefined) return object;
    const kept = manager === undefined ? [] : managedFields.filter((entry) => entry.manager === manager);
    return { ...object, metadata: kept.length === 0 ? metadata : { ...metadata, managedFields: kept } };
  };
}
