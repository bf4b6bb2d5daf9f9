/** A read-only JSON object. */
export type JsonObject = Readonly<Record<string, unknown>>;

/** Whether `value` is a JSON object: neither null nor a list. */
export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Returns an own member of `value`, so that inherited names such as `constructor` are not found. */
export function memberOf(value: unknown, key: string): unknown {
  return isJsonObject(value) && Object.hasOwn(value, key) ? value[key] : undefined;
}

/** Returns an item of `value`; undefined if it is not a list or is too short. */
export function itemOf(value: unknown, index: number): unknown {
  return Array.isArray(value) ? (value as readonly unknown[])[index] : undefined;
}

/** Returns the value at a path of names; undefined where the path does not exist. */
export function valueAt(value: unknown, path: readonly string[]): unknown {
  let found = value;
  for (const name of path) found = memberOf(found, name);
  return found;
}

/** Deep equality of JSON values; the order of an object's keys does not count. */
export function equalJson(left: unknown, right: unknown): boolean {
  if (left === right) return true;
  if (typeof left !== 'object' || typeof right !== 'object' || left === null || right === null) return false;
  if (Array.isArray(left)) {
    return Array.isArray(right) && left.length === right.length && left.every((item, index) => equalJson(item, right[index]));
  }
  if (Array.isArray(right)) return false;
  const keys = Object.keys(left);
  if (keys.length !== Object.keys(right).length) return false;
  return keys.every((key) => Object.hasOwn(right, key) && equalJson((left as JsonObject)[key], (right as JsonObject)[key]));
}

/** Returns a frozen copy of `object` with other members; `undefined` removes one. Returns the same reference when nothing differs. */
export function withMembers(object: JsonObject, members: ReadonlyMap<string, unknown>): JsonObject {
  let differs = false;
  for (const [key, value] of members) differs ||= value !== memberOf(object, key);
  if (!differs) return object;
  const entries: [string, unknown][] = [];
  for (const key of Object.keys(object))
    if (!members.has(key)) entries.push([key, object[key]]);
    else if (members.get(key) !== undefined) entries.push([key, members.get(key)]);
  for (const [key, value] of members) if (value !== undefined && !Object.hasOwn(object, key)) entries.push([key, value]);
  return Object.freeze(Object.fromEntries(entries));
}

/** Maps every member of `object`, frozen; `undefined` removes one. Returns the same reference when no member differs. */
export function mapMembers(object: JsonObject, map: (member: unknown, name: string) => unknown): JsonObject {
  const names = Object.keys(object);
  let entries: [string, unknown][] | undefined;
  for (const [index, name] of names.entries()) {
    const member = object[name];
    const mapped = map(member, name);
    if (mapped !== member) entries ??= names.slice(0, index).map((before) => [before, object[before]]);
    if (mapped !== undefined) entries?.push([name, mapped]);
  }
  return entries === undefined ? object : Object.freeze(Object.fromEntries(entries));
}

/** Maps every item of `list`, frozen; returns the same reference when no item differs. */
export function mapItems(list: readonly unknown[], map: (item: unknown, index: number) => unknown): readonly unknown[] {
  const mapped = list.map(map);
  return mapped.every((item, index) => item === list[index]) ? list : Object.freeze(mapped);
}

/** Serializes with sorted keys, so that equal values have equal text. */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map((item) => canonicalJson(item)).join(',')}]`;
  if (!isJsonObject(value)) return JSON.stringify(value) ?? 'null';
  const keys = Object.keys(value).filter((key) => value[key] !== undefined);
  return `{${keys
    .sort()
    .map((key) => `${JSON.stringify(key)}:${canonicalJson(value[key])}`)
    .join(',')}}`;
}

/** Whether containers are nested more than `levels` deep; recurses no deeper than that. */
export function isDeeperThan(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return levels === 0 || Object.values(value).some((member) => isDeeperThan(member, levels - 1));
}
