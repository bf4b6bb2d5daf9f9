import { memberType, type FieldType } from './field-type.js';
import { isJsonObject, mapItems, memberOf, withMembers, type JsonObject } from './json-value.js';

/**
 * `object` with the schema's defaults where a field is absent; an object that comes from a default gets its own defaults as well. The
 * same reference comes back when nothing is missing, so defaulting twice changes nothing more.
 */
export function applyDefaults(type: FieldType, object: JsonObject): JsonObject {
  return fill(type, object) as JsonObject;
}

function fill(type: FieldType, value: unknown): unknown {
  if (Array.isArray(value))
    return type.shape === 'list' && type.items.shape !== 'scalar' ? mapItems(value, (item) => fill(type.items, item)) : value;
  if (!isJsonObject(value) || type.shape !== 'map') return value;
  const members = new Map<string, unknown>();
  for (const [name, member] of Object.entries(value)) {
    const known = typeof member === 'object' && member !== null ? memberType(type, name) : undefined;
    if (known !== undefined) members.set(name, fill(known, member));
  }
  for (const [name, field] of type.fields) {
    if (memberOf(value, name) === undefined && field.schema.default !== undefined)
      members.set(name, fill(field, frozen(field.schema.default)));
  }
  return withMembers(value, members);
}

/** A copy, so that no object shares a part with the schema. */
function frozen(value: unknown): unknown {
  if (Array.isArray(value)) return Object.freeze(value.map(frozen));
  if (!isJsonObject(value)) return value;
  return Object.freeze(Object.fromEntries(Object.entries(value).map(([name, member]) => [name, frozen(member)])));
}
