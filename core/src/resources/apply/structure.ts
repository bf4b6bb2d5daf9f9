import { fieldType, type FieldType } from '../schema/field-type.js';
import { isJsonObject } from '../schema/json-value.js';

/** The type of values without a schema: the value's own shape counts, and lists are atomic. */
export const anything: FieldType = fieldType({});

/** Structure of a value for ownership: its members or items are owned separately, or the whole value is owned. */
export type Structure = 'map' | 'list' | 'leaf';

/** Returns the structure of `value` under `type`. A value whose shape differs from its type is a leaf. */
export function structureOf(type: FieldType, value: unknown): Structure {
  if (Array.isArray(value)) return type.shape === 'list' && !type.atomic ? 'list' : 'leaf';
  return isJsonObject(value) && (type.shape === 'map' || type.shape === 'any') && !type.atomic ? 'map' : 'leaf';
}
