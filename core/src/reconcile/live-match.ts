import { isSameQuantity, type Immutable, type KubernetesObject } from '@tappaas/sdk';

type Fields = Readonly<Record<string, unknown>>;
type Json = Readonly<Record<string, unknown>>;

/**
 * Whether applying `intent` would change nothing: `manager` owns exactly the fields of the intent, and the live object has the same values.
 * Both are walked along the managed fields, which determine how each list is merged.
 *
 * @source structured-merge-diff, FieldsV1: `f:` a field, `k:` a list item by its keys, `v:` a member of a set, `.` the node itself
 */
export function isAsIntended(intent: Immutable<KubernetesObject>, live: Immutable<KubernetesObject>, manager: string): boolean {
  const entries = (live.metadata.managedFields ?? []).filter(
    (entry) => entry.manager === manager && entry.operation === 'Apply' && (entry.subresource ?? '') === '',
  );
  const [entry] = entries;
  if (entry === undefined || entries.length !== 1) return false;
  const { name: _name, namespace: _namespace, ...metadata } = intent.metadata;
  const { apiVersion: _apiVersion, kind: _kind, metadata: _metadata, ...rest } = intent;
  // The fields that identify the object are not managed.
  const want = Object.keys(metadata).length === 0 ? rest : { ...rest, metadata };
  return matches(entry.fieldsV1 ?? {}, want, live, '');
}

/** Compares a value; in the field `parent`, quantities may be compared by value. */
function matches(fields: Fields, want: unknown, have: unknown, parent: string): boolean {
  const owned = Object.keys(fields).filter((name) => name !== '.');
  if (owned.length === 0) return isSameLeaf(want, have, parent);
  if (Array.isArray(want)) return Array.isArray(have) && matchesList(fields, owned, want, have, parent);
  if (!isObject(want) || !isObject(have)) return false;
  const wanted = Object.keys(want).filter((name) => want[name] !== undefined);
  return (
    owned.every((field) => want[field.slice(2)] !== undefined) &&
    wanted.every((name) => {
      if (isNothing(want[name], have[name])) return true;
      const below = fields[`f:${name}`];
      return isObject(below) && name in have && matches(below, want[name], have[name], isQuantityField(name) ? name : parent);
    })
  );
}

/** An empty list is not stored, and may or may not appear in the managed fields. */
function isNothing(want: unknown, have: unknown): boolean {
  return have === undefined && Array.isArray(want) && want.length === 0;
}

function matchesList(
  fields: Fields,
  owned: readonly string[],
  want: readonly unknown[],
  have: readonly unknown[],
  parent: string,
): boolean {
  if (owned.length !== want.length) return false;
  return owned.every((element) => {
    const below = fields[element];
    if (!isObject(below)) return false;
    const text = element.slice(2);
    if (element.startsWith('v:')) return want.includes(JSON.parse(text)) && have.includes(JSON.parse(text));
    if (element.startsWith('i:')) return matches(below, want[Number(text)], have[Number(text)], parent);
    if (!element.startsWith('k:')) return false;
    const keys = JSON.parse(text) as Json;
    // The server fills in keys that have a default, such as a port's protocol; the intent may omit them.
    const wanted = want.find((item) => isObject(item) && Object.entries(keys).every(([name, value]) => (item[name] ?? value) === value));
    const held = have.find((item) => isObject(item) && Object.entries(keys).every(([name, value]) => item[name] === value));
    return wanted !== undefined && held !== undefined && matchesItem(below, keys, wanted as Json, held, parent);
  });
}

/** A key that the intent omits is owned nevertheless, since it identifies the item. */
function matchesItem(fields: Fields, keys: Json, want: Json, have: unknown, parent: string): boolean {
  const filled = Object.fromEntries(Object.entries(keys).filter(([name]) => `f:${name}` in fields));
  return matches(fields, { ...filled, ...want }, have, parent);
}

function isSameLeaf(want: unknown, have: unknown, parent: string): boolean {
  if (want === have) return true;
  if (Array.isArray(want)) {
    return Array.isArray(have) && have.length === want.length && want.every((item, index) => isSameLeaf(item, have[index], parent));
  }
  if (isObject(want)) {
    if (!isObject(have)) return false;
    // An empty struct may have been filled with defaults, which are not ours.
    if (Object.keys(want).length === 0) return true;
    const wanted = Object.entries(want).filter(([name, value]) => !isNothing(value, have[name]));
    const isComplete = wanted.length === Object.keys(have).length;
    return isComplete && wanted.every(([name, value]) => isSameLeaf(value, have[name], isQuantityField(name) ? name : parent));
  }
  return parent !== '' && isSameQuantity(want, have);
}

const quantityFields = new Set([
  'requests',
  'limits',
  'capacity',
  'hard',
  'sizeLimit',
  'divisor',
  'averageValue',
  'default',
  'defaultRequest',
]);

function isQuantityField(name: string): boolean {
  return quantityFields.has(name);
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
