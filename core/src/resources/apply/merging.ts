import { memberType, type FieldType } from '../schema/field-type.js';
import { isJsonObject, memberOf, withMembers, type JsonObject } from '../schema/json-value.js';
import { itemsByElement } from './comparison.js';
import type { PathElement } from './path-element.js';
import { anything, structureOf } from './structure.js';

/**
 * `live` with everything that `configuration` says: members and keyed items are merged, leaves replaced. What it does not mention stays.
 * Null replaces a leaf; for a map or a keyed list it says nothing.
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

/** Items that are wanted stand in the wanted order; others keep their place before the shared item that they stood before. */
function mergeItems(type: FieldType, live: readonly unknown[], wanted: readonly unknown[]): readonly unknown[] {
  const [have, want] = [itemsByElement(type, live), itemsByElement(type, wanted)];
  if (have === undefined || want === undefined) return wanted;
  const order = [...want.keys()];
  const others = othersByFollower(type, live, new Set(order));
  const merged = order.flatMap((element) => {
    const item = merge(type.items, have.get(element)?.[0], want.get(element)?.[0]);
    return [...(others.get(element) ?? []), item];
  });
  const all = [...merged, ...(others.get(undefined) ?? [])];
  return all.length === live.length && all.every((item, index) => item === live[index]) ? live : Object.freeze(all);
}

/** The live items that are not wanted, by the next wanted item that stands behind them in the live list. */
function othersByFollower(
  type: FieldType,
  live: readonly unknown[],
  wanted: ReadonlySet<PathElement>,
): ReadonlyMap<PathElement | undefined, readonly unknown[]> {
  const others = new Map<PathElement | undefined, unknown[]>();
  let waiting: unknown[] = [];
  for (const item of live) {
    const [element] = itemsByElement(type, [item])?.keys() ?? [];
    if (element === undefined || !wanted.has(element)) waiting.push(item);
    else if (!others.has(element)) {
      others.set(element, waiting);
      waiting = [];
    }
  }
  return others.set(undefined, waiting);
}
