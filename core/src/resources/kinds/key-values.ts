import type { Denial } from '@tappaas/sdk';
import { equalJson, isJsonObject, memberOf, type JsonObject } from '../schema/json-value.js';

/** Maximum total size in bytes of the values of a ConfigMap or Secret. */
const valueBytesMax = 1024 * 1024;
const keyPattern = /^[-._a-zA-Z0-9]{1,253}$/;

/** Keys with their values. */
export type Entries = readonly (readonly [string, unknown])[];

/** The entries of a map field such as `data`. */
export const entriesOf = (object: unknown, field: string): Entries => {
  const map = memberOf(object, field);
  return isJsonObject(map) ? Object.entries(map) : [];
};

/** Checks the keys of all fields that hold values. */
export function keyDenials(fields: readonly (readonly [string, Entries])[]): readonly Denial[] {
  const denials: Denial[] = [];
  const seen = new Set<string>();
  for (const [field, entries] of fields) {
    for (const [key] of entries) {
      const isName = keyPattern.test(key) && key !== '.' && !key.startsWith('..');
      if (!isName) denials.push({ field: `${field}[${key}]`, reason: 'FieldValueInvalid', message: keyRule });
      if (seen.has(key))
        denials.push({ field: `${field}[${key}]`, reason: 'FieldValueDuplicate', message: 'stands in another field already' });
      seen.add(key);
    }
  }
  return denials;
}

const keyRule = "a key is at most 253 letters, digits, '-', '_' or '.', and does not begin with '..'";

/** @source Kubernetes: an object with `immutable: true` keeps its values, and stays so until it is deleted */
export function frozenDenials(object: JsonObject, previous: JsonObject | undefined, fields: readonly string[]): readonly Denial[] {
  if (previous?.['immutable'] !== true) return [];
  const changed = fields.filter((field) => !equalJson(previous[field] ?? {}, object[field] ?? {}));
  const isThawed = object['immutable'] !== true;
  return [...(isThawed ? ['immutable'] : []), ...changed].map((field) => ({
    field,
    reason: 'FieldValueForbidden',
    message: 'field is immutable when `immutable` is set',
  }));
}

/** Denies too many bytes of values. */
export function sizeDenials(field: string, bytes: number): readonly Denial[] {
  if (bytes <= valueBytesMax) return [];
  return [{ field, reason: 'FieldValueTooLong', message: `all values together have ${bytes} bytes, at most ${valueBytesMax} are allowed` }];
}
