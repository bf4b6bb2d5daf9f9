import { fieldPath, entryPath, itemPath } from './field-path.js';
import { memberType, type FieldType } from './field-type.js';
import { isJsonObject, mapItems, withMembers, type JsonObject } from './json-value.js';

/** As many as kube-apiserver lists; more are pruned as well, but not named. */
export const unknownFieldsMax = 100;

/** An object without the fields that its schema does not name, and the paths of those it had. */
export interface Pruned {
  readonly object: JsonObject;
  readonly unknown: readonly string[];
}

/** Takes out of `object` what its schema does not know. The same reference comes back when it knows everything. */
export function pruneUnknown(type: FieldType, object: JsonObject): Pruned {
  const unknown: string[] = [];
  const pruned = prune(type, object, '', unknown);
  return { object: pruned as JsonObject, unknown: unknown.slice(0, unknownFieldsMax) };
}

function prune(type: FieldType, value: unknown, path: string, unknown: string[]): unknown {
  if (Array.isArray(value)) {
    if (type.shape === 'any' || type.items.shape === 'scalar') return value;
    return mapItems(value, (item, index) => prune(type.items, item, itemPath(path, index), unknown));
  }
  if (!isJsonObject(value) || type.shape === 'any' || type.shape === 'scalar') return value;
  const members = new Map<string, unknown>();
  for (const [name, member] of Object.entries(value)) {
    const known = memberType(type, name);
    if (known === undefined) {
      unknown.push(fieldPath(path, name));
      members.set(name, undefined);
    } else if (typeof member === 'object' && member !== null) {
      const place = type.fields.has(name) ? fieldPath(path, name) : entryPath(path, name);
      members.set(name, prune(known, member, place, unknown));
    }
  }
  return withMembers(value, members);
}

/** Message of the 400 that strict decoding answers, and of the warnings that the lenient one gives. */
export function strictDecodingFindings(unknown: readonly string[], duplicates: readonly string[]): readonly string[] {
  const text = (what: string) => (path: string) => `${what} field "${path}"`;
  return [...duplicates.map(text('duplicate')), ...unknown.map(text('unknown'))];
}
