import { isTapError } from '@tappaas/sdk';
import type { Source } from './source.js';

/** The part of an object that is needed to follow it. */
export interface FollowedObject {
  readonly metadata: { readonly name: string; readonly namespace?: string; readonly uid: string; readonly resourceVersion: string };
}

/** The source to follow. */
type FollowedSource = Pick<Source<FollowedObject>, 'list' | 'watch'>;

export interface FollowedChange {
  readonly type: 'put' | 'deleted';
  readonly object: FollowedObject;
}

/** A watch is reopened after this time, without a gap. */
const watchMs = 3_600_000;

/**
 * Yields the existing objects in one batch, then each change, until the signal aborts. When the history is gone, yields the difference.
 *
 * @throws errors of the source before the signal aborts, except lost history
 */
export async function* followed(source: FollowedSource, signal: AbortSignal): AsyncGenerator<readonly FollowedChange[], void, void> {
  try {
    yield* follow(source, signal);
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

async function* follow(source: FollowedSource, signal: AbortSignal): AsyncGenerator<readonly FollowedChange[], void, void> {
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
