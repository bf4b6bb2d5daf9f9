import { canonicalJson, equalJson, isJsonObject, memberOf, withMembers, type JsonObject } from '../schema/json-value.js';
import { readFieldsV1, writeFieldsV1 } from './fields-v1.js';
import { isEmpty, type PathSet } from './path-set.js';

/** One field manager: an entry of `metadata.managedFields`. */
export interface Manager {
  readonly name: string;
  readonly operation: 'Apply' | 'Update';
  readonly apiVersion: string;
  readonly subresource: string | undefined;
  /** RFC 3339, whole seconds. */
  readonly time: string | undefined;
  readonly fields: PathSet;
}

/** Managers by identity; one name may occur several times, with different operations, versions and subresources. */
export type Managers = ReadonlyMap<string, Manager>;

/** Returns the identity of a manager. An applier stays the same in whatever version it applies. */
export function managerKey(manager: Omit<Manager, 'time' | 'fields'>): string {
  const version = manager.operation === 'Apply' ? '' : manager.apiVersion;
  return canonicalJson([manager.name, manager.operation, version, manager.subresource ?? '']);
}

/** Reads the managers of an object; undefined when an entry is malformed. */
export function readManagers(object: JsonObject | undefined): Managers | undefined {
  const entries = memberOf(memberOf(object, 'metadata'), 'managedFields') ?? [];
  if (!Array.isArray(entries)) return undefined;
  const managers = new Map<string, Manager>();
  for (const entry of entries as readonly unknown[]) {
    const manager = isJsonObject(entry) ? known(entry) : undefined;
    if (manager === undefined) return undefined;
    if (!isEmpty(manager.fields)) managers.set(managerKey(manager), manager);
  }
  return managers;
}

const textOr = (value: unknown, otherwise: string): string => (typeof value === 'string' && value !== '' ? value : otherwise);

const managersOf = new WeakMap<JsonObject, Manager>();
const entriesOf = new WeakMap<Manager, JsonObject>();

/** Every write reads the entries of the stored object, and most do not change, so each is parsed and serialized only once. */
function known(entry: JsonObject): Manager | undefined {
  const found = managersOf.get(entry) ?? readManager(entry);
  if (found !== undefined && Object.isFrozen(entry)) managersOf.set(entry, found);
  return found;
}

function readManager(entry: JsonObject): Manager | undefined {
  const { operation, time, subresource, fieldsType } = entry;
  const fields = readFieldsV1(entry['fieldsV1'] ?? {});
  if ((operation !== 'Apply' && operation !== 'Update') || fieldsType !== 'FieldsV1' || fields === undefined) return undefined;
  return {
    name: textOr(entry['manager'], 'unknown'),
    operation,
    apiVersion: textOr(entry['apiVersion'], ''),
    subresource: textOr(subresource, '') || undefined,
    time: textOr(time, '') || undefined,
    fields,
  };
}

/** Returns `object` with these managers in kube-apiserver's order: appliers first, then by time and name. */
export function withManagers(object: JsonObject, managers: Managers): JsonObject {
  const entries = [...managers.values()]
    .filter((manager) => !isEmpty(manager.fields))
    .sort(inOrder)
    .map(entryOf);
  const metadata = memberOf(object, 'metadata');
  const base: JsonObject = isJsonObject(metadata) ? metadata : {};
  const kept = base['managedFields'];
  const wanted = entries.length === 0 ? undefined : Object.freeze(entries);
  const changed = withMembers(base, new Map([['managedFields', equalJson(kept, wanted) ? kept : wanted]]));
  return withMembers(object, new Map([['metadata', metadata === undefined && entries.length === 0 ? undefined : changed]]));
}

function entryOf(manager: Manager): JsonObject {
  const entry = entriesOf.get(manager) ?? writeManager(manager);
  entriesOf.set(manager, entry);
  managersOf.set(entry, manager);
  return entry;
}

function writeManager(manager: Manager): JsonObject {
  return Object.freeze({
    manager: manager.name,
    operation: manager.operation,
    apiVersion: manager.apiVersion,
    ...(manager.time === undefined ? {} : { time: manager.time }),
    fieldsType: 'FieldsV1',
    fieldsV1: writeFieldsV1(manager.fields),
    ...(manager.subresource === undefined ? {} : { subresource: manager.subresource }),
  });
}

const byText = (left: string, right: string): number => (left < right ? -1 : left > right ? 1 : 0);

function inOrder(left: Manager, right: Manager): number {
  return (
    byText(left.operation, right.operation) ||
    secondsOf(left) - secondsOf(right) ||
    byText(left.name, right.name) ||
    byText(left.apiVersion, right.apiVersion) ||
    byText(left.subresource ?? '', right.subresource ?? '')
  );
}

/** The time of an entry in whole seconds; 0 without one. */
export function secondsOf(manager: Manager): number {
  const at = manager.time === undefined ? Number.NaN : Date.parse(manager.time);
  return Number.isNaN(at) ? 0 : Math.floor(at / 1000);
}
