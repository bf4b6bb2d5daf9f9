import { GraphQLBoolean, GraphQLEnumType, GraphQLNonNull, GraphQLObjectType, GraphQLString, type GraphQLFieldConfig } from 'graphql';
import type { GraphqlContext } from '../context.js';
import { objectChanges, operationProgress, type ChangeQuery, type LiveEvent, type ObjectChange } from '../live-events.js';
import { platformEvents, type PlatformEventKinds } from '../platform-events.js';
import type { ExposedKind } from './exposed-kinds.js';
import type { ObjectTypes } from './object-types.js';
import type { Fields } from './output-types.js';
import { findKind, type SchemaParts } from './schema-parts.js';
import { camelCase, type TypeNames } from './type-names.js';

const changeType = new GraphQLEnumType({
  name: 'ChangeType',
  description: 'What happened to an object.',
  values: {
    ADDED: { description: 'The object was created, existed when the subscription began, or matches the selectors now.' },
    MODIFIED: { description: 'A selected field has changed.' },
    DELETED: { description: 'The object was deleted, or no longer matches the selectors; `object` is its last state.' },
    BOOKMARK: { description: 'A progress marker: all changes up to this resourceVersion have been sent.' },
  },
});

/** Resolves the root field of a subscription: its events already hold the value. */
export const eventValue = (event: unknown): unknown => (event as LiveEvent).value;

/** Makes the fields of Subscription. */
export function subscriptionFields({ kinds }: SchemaParts, objects: ObjectTypes, names: TypeNames): Fields {
  const followed = kinds.filter(({ served }) => served.verbs.includes('watch'));
  const changes = followed.map((kind) => [`${camelCase(kind.typeName)}Changes`, changesField(kind, objects.of(kind), names)] as const);
  const events = findKind(followed, '', 'Event');
  const eventChanges = events && changes[followed.indexOf(events)]?.[1];
  const operations = findKind(kinds, 'ops.tappaas.dev', 'Operation');
  return {
    ...(operations !== undefined && { operationProgress: progressField(operations, objects.of(operations)) }),
    ...(events && eventChanges && { platformEvents: platformEventsField(platformKinds(kinds, events), eventChanges) }),
    ...(Object.fromEntries(changes) as Fields),
  };
}

function changesField(
  { served, typeName }: ExposedKind,
  type: GraphQLObjectType,
  names: TypeNames,
): GraphQLFieldConfig<unknown, GraphqlContext> {
  const change = new GraphQLObjectType<ObjectChange>({
    name: names.claim(`${typeName}Change`),
    description: `A change of ${typeName} objects.`,
    fields: {
      type: { type: new GraphQLNonNull(changeType), description: 'What happened to the object.' },
      object: { type, description: 'The object; null for a bookmark.' },
      resourceVersion: {
        type: new GraphQLNonNull(GraphQLString),
        description:
          'Pass it as `since` to continue after this change. During the initial objects it is "0", which means to begin again, until the last one.',
      },
    },
  });
  const isNamespaced = served.scope === 'Namespaced';
  return {
    type: new GraphQLNonNull(change),
    description: `${served.description} Its changes, in order; MODIFIED only when a selected field has changed.`,
    args: {
      ...(isNamespaced && { namespace: { type: GraphQLString, description: 'Only in this namespace; default: in all namespaces.' } }),
      name: { type: GraphQLString, description: 'Only this object.' },
      labels: { type: GraphQLString, description: 'Label selector, such as `app=shop`.' },
      fields: { type: GraphQLString, description: 'Field selector, such as `spec.runtime=standard`.' },
      since: {
        type: GraphQLString,
        description:
          'Continue after this resourceVersion of a page or a change; default: begin with the present objects. One that is too old is an error: list again.',
      },
      bookmarks: {
        type: new GraphQLNonNull(GraphQLBoolean),
        defaultValue: false,
        description: 'Send a progress marker every 10 seconds.',
      },
    },
    subscribe: (_, args, context) => objectChanges(served, args as ChangeQuery, context),
    resolve: eventValue,
  };
}

function platformKinds(kinds: readonly ExposedKind[], { served: event }: ExposedKind): PlatformEventKinds {
  const find = (kind: string) => {
    const found = findKind(kinds, 'platform.tappaas.dev', kind)?.served;
    return found?.scope === 'Cluster' ? found : undefined;
  };
  return { event, find, tenant: find('Tenant') };
}

/** Makes the subscription to Events about the platform itself; it shares the type of the kind Event's changes. */
function platformEventsField(
  kinds: PlatformEventKinds,
  { type, args }: GraphQLFieldConfig<unknown, GraphqlContext>,
): GraphQLFieldConfig<unknown, GraphqlContext> {
  return {
    type,
    description:
      'Events of the platform itself, such as circuit breakers of plugins and reloads of the configuration, for callers who may watch events in the namespace `default`; other members of a tenant get the events of their Tenant and its quotas.',
    args: Object.fromEntries(Object.entries(args ?? {}).filter(([name]) => name === 'since' || name === 'bookmarks')),
    subscribe: (_, query, context) => platformEvents(kinds, query as Pick<ChangeQuery, 'since' | 'bookmarks'>, context),
    resolve: eventValue,
  };
}

function progressField({ served }: ExposedKind, type: GraphQLObjectType): GraphQLFieldConfig<unknown, GraphqlContext> {
  return {
    type: new GraphQLNonNull(type),
    description: 'One operation, whenever a selected field has changed; ends with the operation. An error when there is no such operation.',
    args: {
      namespace: { type: new GraphQLNonNull(GraphQLString), description: 'Namespace of the operation.' },
      name: { type: new GraphQLNonNull(GraphQLString), description: 'Name of the operation.' },
    },
    subscribe: (_, args, context) => operationProgress(served, args as { readonly namespace: string; readonly name: string }, context),
    resolve: eventValue,
  };
}
