import { canonicalJson } from '../schema/json-value.js';
import { isDraftObject, type DraftObject } from './draft.js';
import { directive, materialise } from './strategic-directives.js';
import { patchErrors } from './patch-errors.js';

const invalid = (message: string) => patchErrors.TAP_PATCH_INVALID({ message });

/** Two lists to merge: of objects identified by `mergeKey`, or of scalars. */
export interface ListMerge {
  readonly current: readonly unknown[];
  readonly patch: readonly unknown[];
  readonly mergeKey: string | undefined;
  /** Merges an item of the patch into the current item with the same key. */
  mergeItem(item: DraftObject, by: DraftObject): DraftObject;
}

/** Merges the lists. Items in the patch take its order; others keep their place between them. */
export function mergeItems(merge: ListMerge): readonly unknown[] {
  const { current, patch, mergeKey } = merge;
  if (current.length === 0 && patch.length === 0) return current;
  const isObjects = [...current, ...patch].some(isDraftObject);
  if (!isObjects) return arrange(union(current, patch), patch, current, undefined);
  if (mergeKey === undefined) throw invalid('the list holds objects and its schema names no merge key');
  const { items, changes, isReplaced } = obeyDirectives(merge, mergeKey);
  if (isReplaced) return items;
  const merged = [...items];
  const known = places(merged, mergeKey);
  for (const change of changes) {
    const key = keyOf(change, mergeKey);
    const index = known.get(key) ?? merged.length;
    const found = merged[index];
    merged[index] = isDraftObject(found) ? merge.mergeItem(found, change) : materialise(change);
    known.set(key, index);
  }
  return arrange(merged, changes, current, mergeKey);
}

/** Maps each key to its index; of items with the same key the first counts, so it is set last. */
function places(items: readonly unknown[], mergeKey: string | undefined): Map<string, number> {
  return new Map(items.map((item, index) => [keyOf(item, mergeKey), index] as const).reverse());
}

function union(left: readonly unknown[], right: readonly unknown[]): readonly unknown[] {
  return [...new Map([...left, ...right].map((value) => [canonicalJson(value), value])).values()];
}

/** Returns `list` without the given values. */
export function withoutValues(list: readonly unknown[], values: readonly unknown[]): readonly unknown[] {
  const gone = new Set(values.map(canonicalJson));
  return list.filter((value) => !gone.has(canonicalJson(value)));
}

interface Obeyed {
  readonly items: readonly unknown[];
  readonly changes: readonly DraftObject[];
  readonly isReplaced: boolean;
}

/** Executes `$patch` items: `delete` removes the item with its key, `replace` makes the rest of the patch the whole list. */
function obeyDirectives(merge: ListMerge, mergeKey: string): Obeyed {
  const deleted = new Set<string>();
  const changes: DraftObject[] = [];
  let isReplaced = false;
  for (const item of merge.patch) {
    if (!isDraftObject(item)) throw invalid(`a list merged by ${mergeKey} holds objects, found ${JSON.stringify(item)}`);
    const word = item[directive.patch];
    if (word === undefined) changes.push(item);
    else if (word === 'replace') isReplaced = true;
    else if (word === 'delete') deleted.add(keyOf(item, mergeKey));
    else throw invalid(`$patch in a list must be replace or delete, found ${JSON.stringify(word)}`);
  }
  const items = merge.current.filter((item) => !deleted.has(keyOf(item, mergeKey)));
  return isReplaced ? { items: changes.map(materialise), changes: [], isReplaced } : { items, changes, isReplaced };
}

function keyOf(item: unknown, mergeKey: string | undefined): string {
  if (mergeKey === undefined) return canonicalJson(item);
  const key = isDraftObject(item) ? item[mergeKey] : undefined;
  if (key === undefined) throw invalid(`an item of a list merged by ${mergeKey} has no ${mergeKey}: ${JSON.stringify(item)}`);
  return canonicalJson(key);
}

/** A merged list and the order requested by `$setElementOrder`. */
export interface ListOrder {
  readonly items: readonly unknown[];
  readonly order: readonly unknown[];
  readonly before: readonly unknown[];
  readonly mergeKey: string | undefined;
  readonly changes: readonly unknown[];
  readonly directive: string;
}

/** @throws TAP_PATCH_INVALID when the order of the patch's own items contradicts the directive. */
export function orderBy(list: ListOrder): readonly unknown[] {
  const { items, order, before, mergeKey, changes } = list;
  const kept = changes.filter((item) => !(isDraftObject(item) && item[directive.patch] !== undefined));
  const wanted = order.map((item) => keyOf(item, mergeKey));
  let from = 0;
  for (const item of kept) {
    const found = wanted.indexOf(keyOf(item, mergeKey), from);
    if (found < 0) throw invalid(`the order of the list in the patch contradicts ${list.directive}`);
    from = found + 1;
  }
  return arrange(items, order, before, mergeKey);
}

/** Sorts the items in `order` by it; others keep their order, each before the first item of `order` that it preceded. */
function arrange(
  items: readonly unknown[],
  order: readonly unknown[],
  before: readonly unknown[],
  mergeKey: string | undefined,
): readonly unknown[] {
  const [wanted, was] = [places(order, mergeKey), places(before, mergeKey)];
  const place = (map: ReadonlyMap<string, number>) => (left: unknown, right: unknown) =>
    (map.get(keyOf(left, mergeKey)) ?? Infinity) - (map.get(keyOf(right, mergeKey)) ?? Infinity) || 0;
  const named = items.filter((item) => wanted.has(keyOf(item, mergeKey))).sort(place(wanted));
  const others = items.filter((item) => !wanted.has(keyOf(item, mergeKey))).sort(place(was));
  const arranged: unknown[] = [];
  let [other, name] = [0, 0];
  while (other < others.length && name < named.length) {
    const [left, right] = [was.get(keyOf(others[other], mergeKey)), was.get(keyOf(named[name], mergeKey))];
    const isBefore = left !== undefined && right !== undefined && left < right;
    arranged.push(isBefore ? others[other++] : named[name++]);
  }
  return [...arranged, ...named.slice(name), ...others.slice(other)];
}
