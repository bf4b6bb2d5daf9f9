import type { KindEntry } from './kind-entry.js';
import { equalJson, type JsonObject } from './schema/json-value.js';

/** Says whether anything but metadata and status differs. */
export function changesSpec(entry: KindEntry, previous: JsonObject, next: JsonObject): boolean {
  const isSpec = (name: string): boolean => name !== 'metadata' && !(entry.hasStatus && name === 'status');
  const names = new Set([...Object.keys(previous), ...Object.keys(next)].filter(isSpec));
  return [...names].some((name) => !equalJson(previous[name], next[name]));
}
