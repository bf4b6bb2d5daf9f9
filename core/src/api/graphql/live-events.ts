import { fieldIs, isTapError, objectErrors } from '@tappaas/sdk';
import type { ServedKind, WatchEvent } from '../../ports/engine.js';
import { narrowedSelectors } from '../request/list-parameters.js';
import type { GraphqlContext } from './context.js';
import { refuseEmpty } from './empty-arguments.js';
import { graphqlErrors } from './errors.js';
import { pathOf, type ObjectBody } from './object-reader.js';
import type { Followed } from './recorded-access.js';

/** An event of a subscription: the value of its root field, and what is needed to execute it once for all subscribers that see the same. */
export interface LiveEvent {
  readonly value: unknown;
  /** Identifies the event across subscriptions; absent when it belongs to one subscription only. */
  readonly shared?: object;
  /** Set for changes of objects: a change that touches no selected field is not sent. */
  readonly changed?: { readonly uid: string; readonly isNew: boolean; readonly isGone: boolean };
}

/** A change of an object as subscribers see it. */
export interface ObjectChange {
  readonly type: WatchEvent['type'];
  readonly object: object | undefined;
  /** Continue after this version to miss nothing; `"0"` while the initial objects are being sent. */
  readonly resourceVersion: string;
}

/** Stands for no position in history: continuing after it begins with the initial objects. */
const fromStart = '0';

/** Selects the objects to follow and the position to start from. */
export interface ChangeQuery {
  readonly namespace?: string | null;
  readonly name?: string | null;
  readonly labels?: string | null;
  readonly fields?: string | null;
  readonly since?: string | null;
  readonly bookmarks?: boolean;
}

/**
 * Yields the changes of a kind's objects, in order; without `since`, it begins with the existing objects. Access is checked again before
 * each batch, so revoking the right ends the stream.
 *
 * @throws TAP_GRAPHQL_ARGUMENT_INVALID, TAP_REQUEST_FORBIDDEN, TAP_STORE_COMPACTED, TAP_STORE_SLOW_CONSUMER
 */
export function objectChanges(kind: ServedKind, query: ChangeQuery, context: GraphqlContext): AsyncGenerator<LiveEvent, void, void> {
  refuseEmpty(query, (field) => `the ${field} to follow, or null for all, found an empty text`);
  const { namespace, name } = query;
  const target = { kind: pathOf(kind), ...(namespace ? { namespace } : {}), ...(name ? { name } : {}) };
  return context.access.follow({ verb: 'watch', target }, (followed) => permittedChanges(kind, followed, query, context), context);
}

/** Same as objectChanges, for an access already begun. @throws TAP_REQUEST_FORBIDDEN, TAP_STORE_COMPACTED, TAP_STORE_SLOW_CONSUMER */
export async function* permittedChanges(
  kind: ServedKind,
  { narrowed, reauthorize, lost }: Followed,
  { namespace, name, since, bookmarks = false, ...query }: ChangeQuery,
  context: GraphqlContext,
): AsyncGenerator<LiveEvent, void, void> {
  const { parts, signal } = context;
  const fields = [query.fields, name ? fieldIs('metadata.name', name) : undefined].filter(Boolean).join(',');
  const selectors = { ...(query.labels ? { labelSelector: query.labels } : {}), ...(fields === '' ? {} : { fieldSelector: fields }) };
  const watch = parts.engine().watch({
    target: { kind: pathOf(kind), ...(namespace ? { namespace } : {}) },
    ...narrowedSelectors(selectors, narrowed),
    // With bookmarks, one follows the initial objects at once.
    ...(since && since !== fromStart ? { resourceVersion: since } : { sendInitialEvents: true }),
    bookmarks,
    signal: AbortSignal.any([signal, lost]),
  });
  for await (const batch of named(watch)) {
    await reauthorize();
    for (const event of batch) {
      // A slow reader may take minutes for the initial objects.
      lost.throwIfAborted();
      yield liveEvent(event);
    }
  }
}

/** Renames the field in errors: what REST calls `resourceVersion` is `since` here. */
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
  // Initial objects come in the order of names, so the version of one says nothing about which others were sent.
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
 * Yields an Operation at each change, until it ends or is deleted.
 *
 * @throws TAP_GRAPHQL_ARGUMENT_INVALID, TAP_REQUEST_FORBIDDEN, TAP_OBJECT_NOT_FOUND when none of this name exists at the beginning
 */
export function operationProgress(kind: ServedKind, key: OperationKey, context: GraphqlContext): AsyncGenerator<LiveEvent, void, void> {
  refuseEmpty(key, () => 'that of an operation, found none');
  const requested = { verb: 'watch', target: { kind: pathOf(kind), ...key } };
  // The bookmark after the initial objects proves that the operation does not exist; one created meanwhile comes before the bookmark.
  const query = { ...key, bookmarks: true };
  return context.access.follow(requested, (followed) => progressOf(key, permittedChanges(kind, followed, query, context)), context);
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
