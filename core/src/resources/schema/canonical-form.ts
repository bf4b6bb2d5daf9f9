import { formatQuantity, parseQuantity } from '@tappaas/sdk';
import { memberType, type FieldType } from './field-type.js';
import { isJsonObject, mapItems, withMembers, type JsonObject } from './json-value.js';

/**
 * `object` as kube-apiserver stores it: a null where no null may be counts as absent, a quantity and a time have their one notation
 * (`1000m` is `1`, `1024Mi` is `1Gi`, an offset becomes `Z`). What does not parse stays as it is, for validation to name.
 *
 * With `emptyIsAbsent`, as for Kubernetes' own kinds, an optional list or map without entries and `""` in an optional enum count as absent
 * too: Go's clients leave a field out that way, and kube-apiserver stores nothing for it. An empty struct such as `emptyDir: {}` stays.
 */
export function canonicalForm(type: FieldType, object: JsonObject, options: { readonly emptyIsAbsent: boolean }): JsonObject {
  return canonical(type, object, options.emptyIsAbsent) as JsonObject;
}

function canonical(type: FieldType, value: unknown, emptyIsAbsent: boolean): unknown {
  if (Array.isArray(value)) return type.shape === 'list' ? mapItems(value, (item) => canonical(type.items, item, emptyIsAbsent)) : value;
  if (!isJsonObject(value)) return canonicalScalar(type, value);
  if (type.shape !== 'map') return value;
  const members = new Map<string, unknown>();
  for (const [name, member] of Object.entries(value)) {
    const known = memberType(type, name);
    if (known === undefined) continue;
    const isAbsent = type.fields.has(name) && isAbsentValue(known, member, emptyIsAbsent && !type.required.has(name));
    members.set(name, isAbsent ? undefined : canonical(known, member, emptyIsAbsent));
  }
  return withMembers(value, members);
}

function isAbsentValue(type: FieldType, value: unknown, emptyIsAbsent: boolean): boolean {
  // A schema without a type takes any value, and null is one.
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

/** In UTC; with as many digits of the second as the schema says, or as were given. */
function canonicalTime(text: string, digits: unknown): string {
  const match = time.exec(text);
  const atMs = Date.parse(text);
  if (match === null || Number.isNaN(atMs)) return text;
  const given = match.groups?.['fraction'] ?? '';
  const fraction = typeof digits === 'number' ? given.slice(0, digits).padEnd(digits, '0') : given;
  return `${new Date(atMs).toISOString().slice(0, 19)}${fraction === '' ? '' : `.${fraction}`}Z`;
}
