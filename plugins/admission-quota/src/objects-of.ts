import { isTapError, type Immutable, type ObjectOf, type Resources } from '@tappaas/sdk';
import type { counted } from './usage.js';

type Counted = (typeof counted)[number];

const itemsMax = 100_000;

/** The objects of a kind that counts; none of one that nobody serves here, such as builds where images alone are deployed. */
export async function* objectsOf(
  resources: Pick<Resources, 'list'>,
  kind: Counted,
  query: { readonly namespace: string } | { readonly labels: string },
): AsyncGenerator<Immutable<ObjectOf<Counted>>> {
  try {
    yield* resources.list(kind, { ...query, itemsMax });
  } catch (error) {
    if (!isTapError(error, 'TAP_KIND_NOT_FOUND')) throw error;
  }
}
