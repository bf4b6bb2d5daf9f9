/** A JSON object that nobody writes to. */
export type JsonObject = Readonly<Record<string, unknown>>;

/** Says whether `value` is a JSON object: neither null nor a list. */
export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** An own member of `value`, so that `constructor` and its like are found only where they were written. */
export function memberOf(value: unknown, key: string): unknown {
  return isJsonObject(value) && Object.hasOwn(value, key) ? value[key] : undefined;
}

/** An item of `value`, nothing where it is no list or a shorter one. */
export function itemOf(value: unknown, index: number): unknown {
  return Array.isArray(value) ? (value as readonly unknown[])[index] : undefined;
}

/** The value at a path of names, nothing where the path ends early. */
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

/** A frozen copy of `object` with other members; `undefined` leaves a member out. The same reference when nothing differs. */
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

/** `object` with every member mapped, frozen; `undefined` leaves a member out. The same reference when no member differs. */
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

/** `list` with every item mapped, frozen; the same reference when no item differs. */
export function mapItems(list: readonly unknown[], map: (item: unknown, index: number) => unknown): readonly unknown[] {
  const mapped = list.map(map);
  return mapped.every((item, index) => item === list[index]) ? list : Object.freeze(mapped);
}

/** JSON text with sorted keys: equal values give equal text. */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map((item) => canonicalJson(item)).join(',')}]`;
  if (!isJsonObject(value)) return JSON.stringify(value) ?? 'null';
  const keys = Object.keys(value).filter((key) => value[key] !== undefined);
  return `{${keys
    .sort()
    .map((key) => `${JSON.stringify(key)}:${canonicalJson(value[key])}`)
    .join(',')}}`;
}

/** Says whether containers stand in each other more than `levels` deep; asks no more of the stack than that. */
export function isDeeperThan(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return levels === 0 || Object.values(value).some((member) => isDeeperThan(member, levels - 1));
}
