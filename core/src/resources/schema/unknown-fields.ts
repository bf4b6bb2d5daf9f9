import { fieldPath, entryPath, itemPath } from './field-path.js';
import { memberType, type FieldType } from './field-type.js';
import { isJsonObject, itemOf, mapItems, mapMembers, memberOf, type JsonObject } from './json-value.js';

/** The limit of kube-apiserver; further unknown fields are pruned but not listed. */
export const unknownFieldsMax = 100;

/** An object without unknown fields, and the paths of those removed. */
export interface Pruned {
  readonly object: JsonObject;
  readonly unknown: readonly string[];
}

/**
 * Removes fields that the schema does not know. Returns the same reference when there are none. Parts identical to those of `kept`, from
 * which the object was derived, are not touched.
 */
export function pruneUnknown(type: FieldType, object: JsonObject, kept?: JsonObject): Pruned {
  const unknown: string[] = [];
  const pruned = prune(type, object, '', unknown, kept);
  return { object: pruned as JsonObject, unknown: unknown.slice(0, unknownFieldsMax) };
}

function prune(type: FieldType, value: unknown, path: string, unknown: string[], kept: unknown): unknown {
  if (value === kept) return value;
  if (Array.isArray(value)) {
    if (type.shape === 'any' || type.items.shape === 'scalar') return value;
    return mapItems(value, (item, index) => prune(type.items, item, itemPath(path, index), unknown, itemOf(kept, index)));
  }
  if (!isJsonObject(value) || type.shape === 'any' || type.shape === 'scalar') return value;
  return mapMembers(value, (member, name) => {
    const known = memberType(type, name);
    const before = memberOf(kept, name);
    if (member === before && before !== undefined) return member;
    if (known === undefined) {
      unknown.push(fieldPath(path, name));
      return undefined;
    }
    if (typeof member !== 'object' || member === null) return member;
    return prune(known, member, type.fields.has(name) ? fieldPath(path, name) : entryPath(path, name), unknown, before);
  });
}

/** Returns the messages of the 400 error under strict decoding, or of the warnings under lenient decoding. */
export function strictDecodingFindings(unknown: readonly string[], duplicates: readonly string[]): readonly string[] {
  const text = (what: string) => (path: string) => `${what} field "${path}"`;
  return [...duplicates.map(text('duplicate')), ...unknown.map(text('unknown'))];
}
