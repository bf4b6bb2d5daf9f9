import { formatQuantity, parseQuantity } from '@tappaas/sdk';
import { memberType, type FieldType } from './field-type.js';
import { isJsonObject, itemOf, mapItems, mapMembers, memberOf, type JsonObject } from './json-value.js';

/**
 * Returns `object` as kube-apiserver stores it: a null that is not allowed counts as absent, and quantities and times get their canonical
 * notation (`1000m` is `1`, `1024Mi` is `1Gi`, an offset becomes `Z`). Values that do not parse are left for validation to report.
 *
 * With `emptyIsAbsent`, as for Kubernetes' own kinds, an optional list or map without entries and `""` in an optional enum count as absent
 * too: Go clients omit a field that way, and kube-apiserver stores nothing for it. An empty struct such as `emptyDir: {}` stays.
 * Parts identical to those of `kept`, from which the object was derived, are not touched.
 */
export function canonicalForm(
  type: FieldType,
  object: JsonObject,
  { emptyIsAbsent, kept }: { readonly emptyIsAbsent: boolean; readonly kept?: JsonObject | undefined },
): JsonObject {
  return canonical(type, object, emptyIsAbsent, kept) as JsonObject;
}

function canonical(type: FieldType, value: unknown, emptyIsAbsent: boolean, kept: unknown): unknown {
  if (value === kept) return value;
  if (Array.isArray(value))
    return type.shape === 'list'
      ? mapItems(value, (item, index) => canonical(type.items, item, emptyIsAbsent, itemOf(kept, index)))
      : value;
  if (!isJsonObject(value)) return canonicalScalar(type, value);
  if (type.shape !== 'map') return value;
  return mapMembers(value, (member, name) => {
    const known = memberType(type, name);
    const before = memberOf(kept, name);
    if (known === undefined || (member === before && before !== undefined)) return member;
    const isAbsent = type.fields.has(name) && isAbsentValue(known, member, emptyIsAbsent && !type.required.has(name));
    return isAbsent ? undefined : canonical(known, member, emptyIsAbsent, before);
  });
}

function isAbsentValue(type: FieldType, value: unknown, emptyIsAbsent: boolean): boolean {
  // A schema without a type accepts any value, including null.
  if (value === null) return type.schema.nullable !== true && !(type.shape === 'any' && type.schema.anyOf === undefined);
  return emptyIsAbsent && (isEmptyContainer(type, value) || (value === '' && type.schema.enum?.includes('') === false));
}

function isEmptyContainer(type: FieldType, value: unknown): boolean {
  if (Array.isArray(value)) return type.shape === 'list' && value.length === 0;
  const isMap = typeof type.schema.additionalProperties === 'object' && type.schema.properties === undefined;
  return isMap && isJsonObject(value) && Object.keys(value).length === 0;
}

function canonicalScalar(type: FieldType, value: unknown): unknown {
  const { format } = type.schema;
  if (format === 'quantity') {
    const quantity = parseQuantity(value);
    return quantity === undefined ? value : formatQuantity(quantity);
  }
  return format === 'date-time' && typeof value === 'string' ? canonicalTime(value, type.schema['x-tappaas-fraction-digits']) : value;
}

const time = /^\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(?:\.(?<fraction>\d+))?(?:[Zz]|[+-]\d\d:\d\d)$/;

/** Formats a time in UTC, with the number of fractional digits that the schema requires, or as given. */
function canonicalTime(text: string, digits: unknown): string {
  const match = time.exec(text);
  const atMs = Date.parse(text);
  if (match === null || Number.isNaN(atMs)) return text;
  const given = match.groups?.['fraction'] ?? '';
  const fraction = typeof digits === 'number' ? given.slice(0, digits).padEnd(digits, '0') : given;
  return `${new Date(atMs).toISOString().slice(0, 19)}${fraction === '' ? '' : `.${fraction}`}Z`;
}
