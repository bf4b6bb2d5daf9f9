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
  const copy = new Map<string, unknown>(Object.entries(object));
  for (const [key, value] of members) {
    if (value === undefined) copy.delete(key);
    else copy.set(key, value);
  }
  return Object.freeze(Object.fromEntries(copy));
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
