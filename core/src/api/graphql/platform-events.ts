import { isTapError } from '@tappaas/sdk';
import type { ServedKind } from '../../ports/engine.js';
import { eventsOfTheClusterNamespace } from './cluster-events.js';
import type { GraphqlContext } from './context.js';
import { objectChanges, permittedChanges, type ChangeQuery, type LiveEvent, type ObjectChange } from './live-events.js';
import { pathOf, valueAt, type ObjectBody } from './object-reader.js';

const platformGroup = 'platform.tappaas.dev';

/** The kinds that platform events are read with. */
export interface PlatformEventKinds {
  readonly event: ServedKind;
  readonly tenant: ServedKind | undefined;
  /** Kinds without a namespace of the platform's group, by name. */
  readonly find: (kind: string) => ServedKind | undefined;
}

type Query = Pick<ChangeQuery, 'since' | 'bookmarks'>;

/**
 * Events about objects of the platform itself, which belong to no namespace. Who may watch events in `default` is told all of them; who is of
 * a tenant, and may not, those about what they may get, such as their Tenant and its quotas (docs/decisions/0209).
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

/** Follows the tenant, as access and audit see it; each event is asked about as a read of what it is about. */
function eventsOfTenant(
  kinds: PlatformEventKinds,
  tenantKind: ServedKind,
  tenant: string,
  query: Query,
  context: GraphqlContext,
): AsyncIterable<LiveEvent> {
  const asked = { verb: 'watch', target: { kind: pathOf(tenantKind), name: tenant } };
  const seen = async function* (changes: AsyncIterable<LiveEvent>): AsyncGenerator<LiveEvent, void, void> {
    for await (const event of changes) if (aboutOf(event) === undefined || (await maySee(event, kinds, context))) yield event;
  };
  return context.access.follow(
    asked,
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

/** What an event is about; nothing for a bookmark. */
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

/** Whether the caller may get what an event is about, and it is still the same. */
async function maySee(event: LiveEvent, { find }: PlatformEventKinds, context: GraphqlContext): Promise<boolean> {
  const { kind = '', name = '', uid } = aboutOf(event) ?? {};
  const served = find(kind);
  if (served === undefined || name === '') return false;
  const path = pathOf(served);
  if (!(await isPermitted(context.access, { verb: 'get', target: { kind: path, name } }))) return false;
  const [found] = await context.parts.engine().getMany(path, [{ name }], context);
  return (found?.object as ObjectBody | undefined)?.metadata.uid === uid;
}

async function isPermitted(access: GraphqlContext['access'], asked: Parameters<GraphqlContext['access']['permit']>[0]): Promise<boolean> {
  try {
    await access.permit(asked);
    return true;
  } catch (error) {
    if (isTapError(error, 'TAP_REQUEST_FORBIDDEN')) return false;
    throw error;
  }
}
