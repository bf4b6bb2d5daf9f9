import { memberType, type FieldType } from '../schema/field-type.js';
import { isJsonObject, memberOf, withMembers, type JsonObject } from '../schema/json-value.js';
import { itemsByElement } from './keyed-items.js';
import { itemElement, type PathElement } from './path-element.js';
import { anything, structureOf } from './structure.js';

/**
 * Merges `configuration` into `live`: members and keyed items are merged, leaves replaced, and everything not mentioned kept. Null replaces
 * a leaf; for a map or a keyed list it has no effect.
 */
export function mergeConfiguration(type: FieldType, live: JsonObject, configuration: JsonObject): JsonObject {
  return merge(type, live, configuration) as JsonObject;
}

function merge(type: FieldType, live: unknown, wanted: unknown): unknown {
  if (wanted === undefined) return live;
  if (live === undefined || live === null) return wanted;
  const structure = structureOf(type, live);
  if (wanted === null) return structure === 'leaf' ? null : live;
  if (structure !== structureOf(type, wanted)) return wanted;
  if (structure === 'map' && isJsonObject(live) && isJsonObject(wanted)) return mergeMembers(type, live, wanted);
  if (structure === 'list' && Array.isArray(live) && Array.isArray(wanted)) return mergeItems(type, live, wanted);
  return wanted;
}

function mergeMembers(type: FieldType, live: JsonObject, wanted: JsonObject): JsonObject {
  const members = new Map<string, unknown>();
  for (const [name, value] of Object.entries(wanted)) {
    members.set(name, merge(memberType(type, name) ?? anything, memberOf(live, name), value));
  }
  return withMembers(live, members);
}

/** Merges keyed items: wanted items in the wanted order, other live items at their place among them, as early as that allows. */
function mergeItems(type: FieldType, live: readonly unknown[], wanted: readonly unknown[]): readonly unknown[] {
  const [have, want] = [itemsByElement(type, live), itemsByElement(type, wanted)];
  if (have === undefined || want === undefined) return wanted;
  const order = [...want.keys()];
  const present = live.map((item) => itemElement(type, item));
  const shared = order.filter((element) => have.has(element));
  const done = new Set<PathElement>();
  const merged: unknown[] = [];
  for (let [left, right, next] = [0, 0, 0]; left < live.length || right < order.length;) {
    const element = present[left];
    if (element !== undefined && !want.has(element)) {
      merged.push(live[left++]);
      continue;
    }
    // Skip a live item that is placed already, or that is wanted at another place.
    if (element !== undefined && (done.has(element) || element !== shared[next])) {
      left++;
      if (next < shared.length || right === order.length) continue;
    }
    const preferred = order[right++] ?? '';
    const same = have.get(preferred) ?? [];
    // Duplicate live items of a key are replaced by the wanted one.
    merged.push(merge(type.items, same.length === 1 ? same[0] : undefined, want.get(preferred)?.[0]));
    done.add(preferred);
    if (preferred === shared[next]) next++;
    if (preferred === element) left++;
  }
  return merged.length === live.length && merged.every((item, index) => item === live[index]) ? live : Object.freeze(merged);
}
