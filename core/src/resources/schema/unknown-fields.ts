import { fieldPath, entryPath, itemPath } from './field-path.js';
import { memberType, type FieldType } from './field-type.js';
import { isJsonObject, itemOf, mapItems, mapMembers, memberOf, type JsonObject } from './json-value.js';

/** As many as kube-apiserver lists; more are pruned as well, but not named. */
export const unknownFieldsMax = 100;

/** An object without the fields that its schema does not name, and the paths of those it had. */
export interface Pruned {
  readonly object: JsonObject;
  readonly unknown: readonly string[];
}

/**
 * Takes out of `object` what its schema does not know. The same reference comes back when it knows everything. What is the very same in
 * `kept`, of which the object was made, stays as it is.
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

/** Message of the 400 that strict decoding answers, and of the warnings that the lenient one gives. */
export function strictDecodingFindings(unknown: readonly string[], duplicates: readonly string[]): readonly string[] {
  const text = (what: string) => (path: string) => `${what} field "${path}"`;
  return [...duplicates.map(text('duplicate')), ...unknown.map(text('unknown'))];
}
