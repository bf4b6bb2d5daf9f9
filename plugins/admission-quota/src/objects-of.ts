import { isTapError, type Immutable, type ObjectOf, type Resources } from '@tappaas/sdk';
import type { counted } from './usage.js';

type Counted = (typeof counted)[number];

const itemsMax = 100_000;

/** Lists the objects of a counted kind; empty if no plugin serves the kind, such as Build on a platform that deploys only images. */
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
