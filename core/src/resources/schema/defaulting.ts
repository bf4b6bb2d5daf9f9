import { memberType, type FieldType } from './field-type.js';
import { isJsonObject, mapItems, mapMembers, memberOf, withMembers, type JsonObject } from './json-value.js';

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
  const filled = mapMembers(value, (member, name) => {
    const known = typeof member === 'object' && member !== null ? memberType(type, name) : undefined;
    return known === undefined ? member : fill(known, member);
  });
  const missing = [...defaultsOf(type)].filter(([name]) => memberOf(value, name) === undefined);
  if (missing.length === 0) return filled;
  return withMembers(filled, new Map(missing.map(([name, field]) => [name, fill(field, frozen(field.schema.default))])));
}

const known = new WeakMap<FieldType, ReadonlyMap<string, FieldType>>();

/** The fields that have a default: few of them. */
function defaultsOf(type: FieldType): ReadonlyMap<string, FieldType> {
  const found = known.get(type) ?? new Map([...type.fields].filter(([, field]) => field.schema.default !== undefined));
  known.set(type, found);
  return found;
}

/** A copy, so that no object shares a part with the schema. */
function frozen(value: unknown): unknown {
  if (Array.isArray(value)) return Object.freeze(value.map(frozen));
  if (!isJsonObject(value)) return value;
  return Object.freeze(Object.fromEntries(Object.entries(value).map(([name, member]) => [name, frozen(member)])));
}
