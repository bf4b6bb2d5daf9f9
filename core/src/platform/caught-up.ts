import type { Immutable } from '@tappaas/sdk';
import { keyOf, type CachedObject } from '../reconcile/source.js';

/** Whether a cache holds exactly these objects, each at this revision. */
export function isInStep<T extends CachedObject>(
  cache: { readonly size: number; get(key: string): Immutable<T> | undefined },
  items: Iterable<T>,
): boolean {
  const isSame = (item: T) => {
    const cached = cache.get(keyOf(item)) as CachedObject | undefined;
    return cached?.metadata.uid === item.metadata.uid && cached?.metadata.resourceVersion === item.metadata.resourceVersion;
  };
  let count = 0;
  for (const item of items) {
    if (!isSame(item)) return false;
    count += 1;
  }
  return cache.size === count;
}
