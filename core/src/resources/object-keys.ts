import { resourceErrors } from './errors.js';
import type { KindEntry } from './kind-entry.js';
import type { Body } from './stored-object.js';
import { label } from './target.js';

/** Each key costs microseconds at every write, for which everybody else waits: far more than an object that people make has. */
export const objectKeysMax = 20_000;

/** The keys of an object, which is what a write of it costs, without those that come with its being stored: the version, and managed fields. */
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

/** What was stored with more may be written with as many. @throws TAP_REQUEST_TOO_LARGE */
export function refuseManyKeys(entry: KindEntry, object: Body, keys: number, previous: Body | undefined): void {
  if (keys <= objectKeysMax || (previous !== undefined && keys <= keysOf(previous))) return;
  const message = `${label(entry, object.metadata.name)}: the object has ${keys} keys, at most ${objectKeysMax} are taken`;
  throw resourceErrors.TAP_REQUEST_TOO_LARGE({ message });
}
