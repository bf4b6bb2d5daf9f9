import { memberType, type FieldType } from '../schema/field-type.js';
import { isJsonObject, withMembers, type JsonObject } from '../schema/json-value.js';
import { itemElement, member } from './path-element.js';
import { isEmpty, type PathSet } from './path-set.js';
import { anything, structureOf } from './structure.js';

/** Returns `object` without the members and items in `set`. A container stays, possibly empty, unless its own path is in the set. */
export function removePaths(type: FieldType, object: JsonObject, set: PathSet): JsonObject {
  return remove(type, object, set) as JsonObject;
}

function remove(type: FieldType, value: unknown, set: PathSet): unknown {
  if (isEmpty(set)) return value;
  const structure = structureOf(type, value);
  if (structure === 'map' && isJsonObject(value)) return removeMembers(type, value, set);
  if (structure === 'list' && Array.isArray(value)) return removeItems(type, value, set);
  return value;
}

function removeMembers(type: FieldType, value: JsonObject, set: PathSet): JsonObject {
  const members = new Map<string, unknown>();
  for (const [name, item] of Object.entries(value)) {
    const element = member(name);
    const child = set.children.get(element);
    if (set.members.has(element)) members.set(name, undefined);
    else if (child !== undefined) members.set(name, remove(memberType(type, name) ?? anything, item, child));
  }
  return withMembers(value, members);
}

function removeItems(type: FieldType, list: readonly unknown[], set: PathSet): readonly unknown[] {
  const kept: unknown[] = [];
  for (const item of list) {
    const element = itemElement(type, item);
    const child = element === undefined ? undefined : set.children.get(element);
    if (element !== undefined && set.members.has(element)) continue;
    kept.push(child === undefined ? item : remove(type.items, item, child));
  }
  return kept.length === list.length && kept.every((item, index) => item === list[index]) ? list : Object.freeze(kept);
}
