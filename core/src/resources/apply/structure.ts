import { fieldType, type FieldType } from '../schema/field-type.js';
import { isJsonObject } from '../schema/json-value.js';

/** The type of what no schema describes: a value's own shape counts, lists are atomic. */
export const anything: FieldType = fieldType({});

/** How ownership looks at a value: members and items have owners of their own, or the whole has. */
export type Structure = 'map' | 'list' | 'leaf';

/** The structure of `value` under `type`. A value of another shape than its type says is a leaf. */
export function structureOf(type: FieldType, value: unknown): Structure {
  if (Array.isArray(value)) return type.shape === 'list' && !type.atomic ? 'list' : 'leaf';
  return isJsonObject(value) && (type.shape === 'map' || type.shape === 'any') && !type.atomic ? 'map' : 'leaf';
}
