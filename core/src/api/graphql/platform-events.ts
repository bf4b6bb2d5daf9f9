import { isTapError } from '@tappaas/sdk';
import type { ServedKind } from '../../ports/engine.js';
import { eventsOfTheClusterNamespace } from './cluster-events.js';
import type { GraphqlContext } from './context.js';
import { objectChanges, permittedChanges, type ChangeQuery, type LiveEvent, type ObjectChange } from './live-events.js';
import { pathOf, valueAt, type ObjectBody } from './object-reader.js';

const platformGroup = 'platform.tappaas.dev';

/** The kinds that reading platform events needs. */
export interface PlatformEventKinds {
  readonly event: ServedKind;
  readonly tenant: ServedKind | undefined;
  /** Finds a cluster-scoped kind of the platform's group by name. */
  readonly find: (kind: string) => ServedKind | undefined;
}

type Query = Pick<ChangeQuery, 'since' | 'bookmarks'>;

/**
 * Yields Events about cluster-scoped objects of the platform. Callers who may watch events in `default` get all of them; other members of a
 * tenant get those about objects that they may get, such as their Tenant and its quotas (docs/decisions/0209).
 *
 * @throws TAP_REQUEST_FORBIDDEN
 */
export async function* platformEvents(
  kinds: PlatformEventKinds,
  query: Query,
  context: GraphqlContext,
): AsyncGenerator<LiveEvent, void, void> {
  const { tenant } = context.caller;
  const isNarrowed = tenant !== undefined && kinds.tenant !== undefined && !(await mayWatchAll(kinds.event, context));
  const events = isNarrowed ? eventsOfTenant(kinds, kinds.tenant, tenant, query, context) : allEvents(kinds.event, query, context);
  for await (const event of events) if (isOfPlatform(event)) yield event;
}

function allEvents(event: ServedKind, query: Query, context: GraphqlContext): AsyncIterable<LiveEvent> {
  return objectChanges(event, { ...query, namespace: eventsOfTheClusterNamespace }, context);
}

/** Authorizes and audits the stream as a watch of the Tenant, and each event as a get of the object that it is about. */
function eventsOfTenant(
  kinds: PlatformEventKinds,
  tenantKind: ServedKind,
  tenant: string,
  query: Query,
  context: GraphqlContext,
): AsyncIterable<LiveEvent> {
  const requested = { verb: 'watch', target: { kind: pathOf(tenantKind), name: tenant } };
  const seen = async function* (changes: AsyncIterable<LiveEvent>): AsyncGenerator<LiveEvent, void, void> {
    for await (const event of changes) if (aboutOf(event) === undefined || (await maySee(event, kinds, context))) yield event;
  };
  return context.access.follow(
    requested,
    (followed) => seen(permittedChanges(kinds.event, followed, { ...query, namespace: eventsOfTheClusterNamespace }, context)),
    context,
  );
}

interface About {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly name?: string;
  readonly uid?: string;
}

/** Returns the object that an event is about; undefined for a bookmark. */
function aboutOf({ value }: LiveEvent): About | undefined {
  const { object } = value as ObjectChange;
  return object === undefined ? undefined : (valueAt(object, ['involvedObject']) ?? {});
}

function isOfPlatform(event: LiveEvent): boolean {
  const about = aboutOf(event);
  return about === undefined || about.apiVersion?.startsWith(`${platformGroup}/`) === true;
}

async function mayWatchAll(event: ServedKind, { access }: GraphqlContext): Promise<boolean> {
  return isPermitted(access, { verb: 'watch', target: { kind: pathOf(event), namespace: eventsOfTheClusterNamespace } });
}

/** Whether the caller may get the object of an event, and the object still exists with the same uid. */
async function maySee(event: LiveEvent, { find }: PlatformEventKinds, context: GraphqlContext): Promise<boolean> {
  const { kind = '', name = '', uid } = aboutOf(event) ?? {};
  const served = find(kind);
  if (served === undefined || name === '') return false;
  const path = pathOf(served);
  if (!(await isPermitted(context.access, { verb: 'get', target: { kind: path, name } }))) return false;
  const [found] = await context.parts.engine().getMany(path, [{ name }], context);
  return (found?.object as ObjectBody | undefined)?.metadata.uid === uid;
}

async function isPermitted(
  access: GraphqlContext['access'],
  requested: Parameters<GraphqlContext['access']['permit']>[0],
): Promise<boolean> {
  try {
    await access.permit(requested);
    return true;
  } catch (error) {
    if (isTapError(error, 'TAP_REQUEST_FORBIDDEN')) return false;
    throw error;
  }
}
