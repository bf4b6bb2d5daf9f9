import { isTapError, objectErrors } from '@tappaas/sdk';
import type { ServedKind, WatchEvent } from '../../ports/engine.js';
import { narrowedSelectors } from '../request/list-parameters.js';
import type { GraphqlContext } from './context.js';
import { graphqlErrors } from './errors.js';
import { pathOf, type ObjectBody } from './object-reader.js';
import type { Followed } from './recorded-access.js';

/** What a subscription tells: the value of its root field, and what is needed to execute it once for all who are told the same. */
export interface LiveEvent {
  readonly value: unknown;
  /** Stands for the event in every subscription; absent where it is one subscription's own. */
  readonly shared?: object;
  /** Set where a change may be none of what is selected: then it is not told. */
  readonly changed?: { readonly uid: string; readonly isNew: boolean; readonly isGone: boolean };
}

/** A change of an object as subscribers see it. */
export interface ObjectChange {
  readonly type: WatchEvent['type'];
  readonly object: object | undefined;
  /** Behind which everything that has not been told comes: `"0"` while what is there at the beginning is being told. */
  readonly resourceVersion: string;
}

/** The version that stands for no place in history: whoever goes on behind it begins with what is there. */
const fromStart = '0';

/** Which objects are followed, from where. */
export interface ChangeQuery {
  readonly namespace?: string | null;
  readonly name?: string | null;
  readonly labels?: string | null;
  readonly fields?: string | null;
  readonly since?: string | null;
  readonly bookmarks?: boolean;
}

/**
 * The changes of a kind's objects, in order. Without `since` it begins with what is there. Who follows is asked about again before each
 * batch is told, so a right that is taken away ends it.
 *
 * @throws TAP_REQUEST_FORBIDDEN, TAP_STORE_COMPACTED, TAP_STORE_SLOW_CONSUMER
 */
export function objectChanges(kind: ServedKind, query: ChangeQuery, context: GraphqlContext): AsyncGenerator<LiveEvent, void, void> {
  const { namespace, name } = query;
  const target = { kind: pathOf(kind), ...(namespace ? { namespace } : {}), ...(name ? { name } : {}) };
  return context.access.follow({ verb: 'watch', target }, (followed) => permittedChanges(kind, followed, query, context), context);
}

/** The same within what is followed already. @throws TAP_REQUEST_FORBIDDEN, TAP_STORE_COMPACTED, TAP_STORE_SLOW_CONSUMER */
export async function* permittedChanges(
  kind: ServedKind,
  { narrowed, askAgain, lost }: Followed,
  { namespace, name, since, bookmarks = false, ...query }: ChangeQuery,
  context: GraphqlContext,
): AsyncGenerator<LiveEvent, void, void> {
  const { parts, signal } = context;
  const fields = [query.fields, name ? `metadata.name=${name}` : undefined].filter(Boolean).join(',');
  const selectors = { ...(query.labels ? { labelSelector: query.labels } : {}), ...(fields === '' ? {} : { fieldSelector: fields }) };
  const watch = parts.engine().watch({
    target: { kind: pathOf(kind), ...(namespace ? { namespace } : {}) },
    ...narrowedSelectors(selectors, narrowed),
    // With bookmarks, one tells at once that all there is has been told.
    ...(since && since !== fromStart ? { resourceVersion: since } : { sendInitialEvents: true }),
    bookmarks,
    signal: AbortSignal.any([signal, lost]),
  });
  for await (const batch of named(watch)) {
    await askAgain();
    for (const event of batch) {
      // Who reads slowly takes minutes for what is there at the beginning.
      lost.throwIfAborted();
      yield liveEvent(event);
    }
  }
}

/** REST calls `since` a resourceVersion. */
async function* named(watch: AsyncIterable<readonly WatchEvent[]>): AsyncGenerator<readonly WatchEvent[], void, void> {
  try {
    yield* watch;
  } catch (error) {
    if (!isTapError(error) || error.field !== 'resourceVersion') throw error;
    const message = `since: ${error.message.replace(/^resourceVersion: /, '')}`;
    throw graphqlErrors.TAP_GRAPHQL_ARGUMENT_INVALID({ field: 'since', message, cause: error });
  }
}

function liveEvent({ type, served, initial }: WatchEvent): LiveEvent {
  const { object } = served;
  // What is there comes in the order of names: an object's own version says nothing of what has been told.
  const resourceVersion = initial === undefined ? served.resourceVersion : (initial.reached ?? fromStart);
  if (type === 'BOOKMARK') {
    const version = (object as ObjectBody).metadata.resourceVersion ?? resourceVersion;
    return { value: { type, object: undefined, resourceVersion: version } satisfies ObjectChange };
  }
  const changed = { uid: (object as ObjectBody).metadata.uid, isNew: type === 'ADDED', isGone: type === 'DELETED' };
  return { value: { type, object, resourceVersion } satisfies ObjectChange, shared: object, changed };
}

interface OperationKey {
  readonly namespace: string;
  readonly name: string;
}

const ended: ReadonlySet<unknown> = new Set(['Succeeded', 'Failed', 'Cancelled']);

/**
 * An Operation, whenever something of it has changed, until it has ended or is deleted.
 *
 * @throws TAP_GRAPHQL_ARGUMENT_INVALID, TAP_REQUEST_FORBIDDEN, TAP_OBJECT_NOT_FOUND when there is none of this name as it begins
 */
export function operationProgress(kind: ServedKind, key: OperationKey, context: GraphqlContext): AsyncGenerator<LiveEvent, void, void> {
  refuseNothing(key);
  const asked = { verb: 'watch', target: { kind: pathOf(kind), ...key } };
  // The bookmark behind what is there at the beginning tells that nothing is: what is made meanwhile is told before it, and is not missed.
  const query = { ...key, bookmarks: true };
  return context.access.follow(asked, (followed) => progressOf(key, permittedChanges(kind, followed, query, context)), context);
}

/** An empty variable would mean any: the progress of somebody else's operation. */
function refuseNothing(key: OperationKey): void {
  const field = (['namespace', 'name'] as const).find((each) => key[each] === '');
  if (field === undefined) return;
  throw graphqlErrors.TAP_GRAPHQL_ARGUMENT_INVALID({ field, message: `${field}: expected that of an operation, found none` });
}

async function* progressOf({ name }: OperationKey, changes: AsyncIterable<LiveEvent>): AsyncGenerator<LiveEvent, void, void> {
  let isFound = false;
  for await (const { value, changed, shared } of changes) {
    const { type, object } = value as ObjectChange;
    if (type === 'DELETED') return;
    if (object === undefined) {
      if (!isFound) throw objectErrors.TAP_OBJECT_NOT_FOUND({ message: `operations "${name}" not found` });
      continue;
    }
    isFound = true;
    yield { value: object, ...(shared && { shared }), ...(changed && { changed }) };
    if (ended.has((object as { readonly status?: { readonly phase?: string } }).status?.phase)) return;
  }
}
