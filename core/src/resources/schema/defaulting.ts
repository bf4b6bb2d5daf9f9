import { memberType, type FieldType } from './field-type.js';
import { isJsonObject, mapItems, mapMembers, memberOf, withMembers, type JsonObject } from './json-value.js';

/**
 * Fills in the schema's defaults for absent fields; an object that comes from a default gets its own defaults as well. Returns the same
 * reference when nothing is missing, so defaulting is idempotent.
 */
export function applyDefaults(type: FieldType, object: JsonObject): JsonObject {
  return fill(type, object) as JsonObject;
}

function fill(type: FieldType, value: unknown): unknown {
  if (Array.isArray(value))
    return type.shape === 'list' && type.items.shape !== 'scalar' ? mapItems(value, (item) => fill(type.items, item)) : value;
  if (!isJsonObject(value) || type.shape !== 'map') return value;
  const filled = mapMembers(value, (member, name) => {
    const known = typeof member === 'object' && member !== null ? memberType(type, name) : undefined;
    return known === undefined ? member : fill(known, member);
  });
  const missing = [...defaultsOf(type)].filter(([name]) => memberOf(value, name) === undefined);
  if (missing.length === 0) return filled;
  return withMembers(filled, new Map(missing.map(([name, field]) => [name, fill(field, frozen(field.schema.default))])));
}

const known = new WeakMap<FieldType, ReadonlyMap<string, FieldType>>();

/** Returns the fields that have a default, which are few. */
function defaultsOf(type: FieldType): ReadonlyMap<string, FieldType> {
  const found = known.get(type) ?? new Map([...type.fields].filter(([, field]) => field.schema.default !== undefined));
  known.set(type, found);
  return found;
}

/** Makes a frozen copy, so that objects share no parts with the schema. */
function frozen(value: unknown): unknown {
  if (Array.isArray(value)) return Object.freeze(value.map(frozen));
  if (!isJsonObject(value)) return value;
  return Object.freeze(Object.fromEntries(Object.entries(value).map(([name, member]) => [name, frozen(member)])));
}
