import type { KindEntry } from './kind-entry.js';
import { objectKey } from './key-space.js';
import type { StoredObject } from './stored-object.js';
import type { Selection } from './watch-cache.js';

/** Selectors as kubectl writes them. */
export interface Filter {
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
}

/** What a query selects in the cache of a kind. */
export function selectionOf(entry: KindEntry, namespace: string | undefined, _filter: Filter): Selection<StoredObject> {
  return { within: namespace === undefined || namespace === '' ? entry.prefix : objectKey(entry.prefix, namespace, '') };
}
