import type { Clock } from '@tappaas/sdk';
import type { EnginePort, Target } from '../../../ports/engine.js';
import type { ObjectBody } from '../object-reader.js';
import { isPassing, untilNextTry } from './retry.js';

/** News of selected objects: first the full list, then changes and deletions; the full list again after the watch has broken. */
export type ObjectNews =
  | { readonly present: readonly ObjectBody[] }
  | { readonly changed: ObjectBody }
  | { readonly gone: ObjectBody['metadata']['uid'] };

export interface FollowedObjects {
  /** Undefined while the engine is not loaded. */
  readonly engine: () => EnginePort | undefined;
  readonly query: { readonly target: Target; readonly labelSelector?: string; readonly fieldSelector?: string };
  /** Maximum number of objects that exist at once; one more calls `crowded`, which throws. */
  readonly max: number;
  readonly crowded: () => never;
}

/** Follows objects across broken watches. @throws any error before the first event, and later ones that a retry would not change */
export async function* objectStates(
  followed: FollowedObjects,
  { clock, signal }: { readonly clock: Clock; readonly signal: AbortSignal },
): AsyncGenerator<ObjectNews, void, void> {
  let failures = 0;
  let hasBegun = false;
  while (!signal.aborted) {
    try {
      for await (const news of oneWatch(followed, signal)) {
        [failures, hasBegun] = [0, true];
        yield news;
      }
    } catch (error) {
      if (signal.aborted) return;
      if (!hasBegun || !isPassing(error)) throw error;
    }
    await untilNextTry(failures, clock, signal);
    failures += 1;
  }
}

async function* oneWatch({ engine, query, max, crowded }: FollowedObjects, signal: AbortSignal): AsyncGenerator<ObjectNews, void, void> {
  const watch = engine()?.watch({ ...query, sendInitialEvents: true, bookmarks: true, signal });
  let listed: Map<string, ObjectBody> | undefined = new Map();
  for await (const events of watch ?? []) {
    for (const { type, served } of events) {
      const object = served.object as ObjectBody;
      if (type === 'BOOKMARK') {
        // The first bookmark follows the initial objects.
        if (listed !== undefined) yield { present: [...listed.values()] };
        listed = undefined;
        continue;
      }
      const { uid } = object.metadata;
      if (listed === undefined) yield type === 'DELETED' ? { gone: uid } : { changed: object };
      else if (type === 'DELETED') listed.delete(uid);
      else if (listed.set(uid, object).size > max) crowded();
    }
  }
}
