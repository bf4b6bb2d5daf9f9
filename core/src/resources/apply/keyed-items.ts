import type { FieldType } from '../schema/field-type.js';
import { itemElement, type PathElement } from './path-element.js';

/** Groups items by path element; duplicates share one. Returns undefined when an item has no element. */
export function itemsByElement(type: FieldType, list: unknown): ReadonlyMap<PathElement, readonly unknown[]> | undefined {
  const found = new Map<PathElement, unknown[]>();
  for (const item of Array.isArray(list) ? list : []) {
    const element = itemElement(type, item);
    if (element === undefined) return undefined;
    const same = found.get(element);
    if (same === undefined) found.set(element, [item]);
    else same.push(item);
  }
  return found;
}
