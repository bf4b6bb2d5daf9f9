import { isJsonObject } from '../schema/json-value.js';

/** A JSON object that one patch may write to while nobody else sees it. */
export type DraftObject = Record<string, unknown>;

/** A deep copy that may be written to. */
export function draftOf(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(draftOf);
  if (!isJsonObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, draftOf(member)]));
}

/** Says whether `value` is an object of a draft: neither null nor a list. */
export function isDraftObject(value: unknown): value is DraftObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
