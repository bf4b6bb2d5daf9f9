import { isTapError } from '@tappaas/sdk';
import type { Source } from './source.js';

/** An object as far as following one needs to know it. */
export interface FollowedObject {
  readonly metadata: { readonly name: string; readonly namespace?: string; readonly uid: string; readonly resourceVersion: string };
}

export interface FollowedChange {
  readonly type: 'put' | 'deleted';
  readonly object: FollowedObject;
}

/** A watch is begun anew after so long; nobody notices. */
const watchMs = 3_600_000;

/**
 * What there is in one batch, then each change, for as long as the signal lets it. Where the history is gone, the difference is told.
 *
 * @throws what the source refuses before the signal aborts, but for a history that is gone
 */
export async function* followed(
  source: Source<FollowedObject>,
  signal: AbortSignal,
): AsyncGenerator<readonly FollowedChange[], void, void> {
  try {
    yield* follow(source, signal);
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

async function* follow(source: Source<FollowedObject>, signal: AbortSignal): AsyncGenerator<readonly FollowedChange[], void, void> {
  const known = new Map<string, FollowedObject>();
  let isFirst = true;
  while (!signal.aborted) {
    const { items, revision } = await source.list({ signal });
    const changes = differences(known, [...items]);
    if (isFirst || changes.length > 0) yield changes;
    isFirst = false;
    try {
      for await (const event of source.watch({ fromRevision: revision, timeoutMs: watchMs, signal })) {
        if (event.type === 'bookmark') continue;
        yield [taken(known, event.type === 'deleted' ? 'deleted' : 'put', event.object)];
      }
    } catch (error) {
      if (!isTapError(error) || error.spec.httpStatus !== 410) throw error;
    }
  }
}

const keyOf = ({ metadata }: FollowedObject): string => `${metadata.namespace ?? ''}/${metadata.name}`;

function taken(known: Map<string, FollowedObject>, type: FollowedChange['type'], object: FollowedObject): FollowedChange {
  if (type === 'deleted') known.delete(keyOf(object));
  else known.set(keyOf(object), object);
  return { type, object };
}

function differences(known: Map<string, FollowedObject>, items: readonly FollowedObject[]): readonly FollowedChange[] {
  const present = new Set(items.map(keyOf));
  const gone = [...known.values()].filter((object) => !present.has(keyOf(object)));
  const put = items.filter((object) => known.get(keyOf(object))?.metadata.resourceVersion !== object.metadata.resourceVersion);
  return [...gone.map((object) => taken(known, 'deleted', object)), ...put.map((object) => taken(known, 'put', object))];
}
