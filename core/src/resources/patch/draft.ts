import { isJsonObject } from '../schema/json-value.js';

/** A mutable JSON object, private to one patch. */
export type DraftObject = Record<string, unknown>;

/** Makes a mutable deep copy. */
export function draftOf(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(draftOf);
  if (!isJsonObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, draftOf(member)]));
}

/** Whether `value` is an object of a draft: neither null nor a list. */
export function isDraftObject(value: unknown): value is DraftObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
