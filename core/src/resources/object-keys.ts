import { resourceErrors } from './errors.js';
import type { KindEntry } from './kind-entry.js';
import type { Body } from './stored-object.js';
import { label } from './target.js';

/** Maximum number of keys in an object, far more than usual. Each key costs microseconds per write, during which others wait. */
export const objectKeysMax = 20_000;

/** Counts the keys of an object, which determine the cost of a write, without those added on storing: the version and managed fields. */
export function keysOf(object: Body): number {
  const { managedFields: _, resourceVersion: __, ...metadata } = object.metadata;
  return keysIn({ ...object, metadata });
}

function keysIn(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0;
  if (Array.isArray(value)) return value.reduce<number>((sum, item) => sum + keysIn(item), 0);
  const members = Object.values(value);
  let keys = members.length;
  for (const member of members) if (typeof member === 'object') keys += keysIn(member);
  return keys;
}

/** Refuses an object with too many keys, unless its stored state has at least as many. @throws TAP_REQUEST_TOO_LARGE */
export function refuseManyKeys(entry: KindEntry, object: Body, keys: number, previous: Body | undefined): void {
  if (keys <= objectKeysMax || (previous !== undefined && keys <= keysOf(previous))) return;
  const message = `${label(entry, object.metadata.name)}: the object has ${keys} keys, at most ${objectKeysMax} are taken`;
  throw resourceErrors.TAP_REQUEST_TOO_LARGE({ message });
}
