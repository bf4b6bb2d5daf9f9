import type { KindEntry } from './kind-entry.js';
import { equalJson, type JsonObject } from './schema/json-value.js';

/** Whether anything other than metadata and status differs. */
export function changesSpec(entry: KindEntry, previous: JsonObject, next: JsonObject): boolean {
  const differs = (name: string): boolean =>
    name !== 'metadata' && !(entry.hasStatus && name === 'status') && !equalJson(previous[name], next[name]);
  return Object.keys(next).some(differs) || Object.keys(previous).some((name) => next[name] === undefined && differs(name));
}
