import { fieldPath } from './field-path.js';

/** Why a field is invalid: the reasons that Kubernetes uses in `Status.details.causes`. */
export type CauseReason =
  | 'FieldValueRequired'
  | 'FieldValueInvalid'
  | 'FieldValueTypeInvalid'
  | 'FieldValueNotSupported'
  | 'FieldValueDuplicate'
  | 'FieldValueForbidden'
  | 'FieldValueTooLong'
  | 'FieldValueTooMany'
  | 'FieldManagerConflict';

/** One finding; `message` does not repeat the field. */
export interface Cause {
  readonly reason: CauseReason;
  readonly field: string;
  readonly message: string;
}

const shownCharactersMax = 200;

/** Formats a value for a message: JSON, truncated when long. */
export function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? 'undefined';
  return text.length > shownCharactersMax ? `${text.slice(0, shownCharactersMax)}…` : text;
}

/** The field is required but missing. */
export const required = (field: string, detail?: string): Cause => ({
  reason: 'FieldValueRequired',
  field,
  message: detail === undefined ? 'Required value' : `Required value: ${detail}`,
});

/** The value has the right type but breaks a rule. */
export const invalid = (field: string, value: unknown, rule: string): Cause => ({
  reason: 'FieldValueInvalid',
  field,
  message: `Invalid value: ${shown(value)}: ${rule}`,
});

/** The value has another JSON type than the schema requires. */
export const typeInvalid = (field: string, value: unknown, type: string): Cause => ({
  reason: 'FieldValueTypeInvalid',
  field,
  message: `Invalid value: ${shown(typeName(value))}: ${field === '' ? 'the object' : field} in body must be of type ${type}: ${shown(value)}`,
});

/** The value is not in a closed list. */
export const notSupported = (field: string, value: unknown, supported: readonly unknown[]): Cause => ({
  reason: 'FieldValueNotSupported',
  field,
  message: `Unsupported value: ${shown(value)}: supported values: ${supported.map((item) => JSON.stringify(item)).join(', ')}`,
});

/** The value occurs in the list already. */
export const duplicate = (field: string, value: unknown): Cause => ({
  reason: 'FieldValueDuplicate',
  field,
  message: `Duplicate value: ${shown(value)}`,
});

/** The field is not allowed. */
export const forbidden = (field: string, rule: string): Cause => ({ reason: 'FieldValueForbidden', field, message: `Forbidden: ${rule}` });

/** The text or data is too long. */
export const tooLong = (field: string, max: number, unit: 'bytes' | 'characters'): Cause => ({
  reason: 'FieldValueTooLong',
  field,
  message: `Too long: may not be more than ${max} ${unit}`,
});

/** The list has too many items. */
export const tooMany = (field: string, count: number, max: number): Cause => ({
  reason: 'FieldValueTooMany',
  field,
  message: `Too many: ${count}: must have at most ${max} items`,
});

/** Moves the field of a cause below `parent`. */
export const below = (parent: string, cause: Cause): Cause => ({ ...cause, field: fieldPath(parent, cause.field) });

/** Formats a cause as in a `Status` message: `spec.replicas: Required value`. */
export const causeText = ({ field = '', message }: { readonly field?: string; readonly message: string }): string =>
  field === '' ? message : `${field}: ${message}`;

/** Returns the JSON type of a value, with integers as a type of their own. */
export function typeName(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  if (typeof value === 'number') return Number.isInteger(value) ? 'integer' : 'number';
  return typeof value;
}
