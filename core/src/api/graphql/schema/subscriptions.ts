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
  description: 'What has become of an object.',
  values: {
    ADDED: { description: 'It was made, or was there when the subscription began, or is selected now.' },
    MODIFIED: { description: 'Something that is selected has changed.' },
    DELETED: { description: 'It is gone, or is not selected any more; the object is as it was.' },
    BOOKMARK: { description: 'Nothing has changed up to this resourceVersion.' },
  },
});

/** What a subscription's events are told as. */
export const toldValue = (event: unknown): unknown => (event as LiveEvent).value;

/** Everything that can be followed. */
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
      type: { type: new GraphQLNonNull(changeType), description: 'What has become of the object.' },
      object: { type, description: 'The object; null for a bookmark.' },
      resourceVersion: {
        type: new GraphQLNonNull(GraphQLString),
        description:
          'Give it as `since` to go on behind this change. While what is there at the beginning is told, it is "0" until the last object: to begin anew.',
      },
    },
  });
  const isNamespaced = served.scope === 'Namespaced';
  return {
    type: new GraphQLNonNull(change),
    description: `${served.description} Its changes, in order; MODIFIED only when something that is selected has changed.`,
    args: {
      ...(isNamespaced && { namespace: { type: GraphQLString, description: 'In this namespace only; default: in all that there are.' } }),
      name: { type: GraphQLString, description: 'Of this object only.' },
      labels: { type: GraphQLString, description: 'Label selector, such as `app=shop`.' },
      fields: { type: GraphQLString, description: 'Field selector, such as `spec.runtime=standard`.' },
      since: {
        type: GraphQLString,
        description:
          'Go on behind this resourceVersion, of a page or a change; default: begin with what is there. One that is too old is an error: read the list again.',
      },
      bookmarks: {
        type: new GraphQLNonNull(GraphQLBoolean),
        defaultValue: false,
        description: 'Tell every 10 seconds how far everything is told.',
      },
    },
    subscribe: (_, args, context) => objectChanges(served, args as ChangeQuery, context),
    resolve: toldValue,
  };
}

function platformKinds(kinds: readonly ExposedKind[], { served: event }: ExposedKind): PlatformEventKinds {
  const find = (kind: string) => {
    const found = findKind(kinds, 'platform.tappaas.dev', kind)?.served;
    return found?.scope === 'Cluster' ? found : undefined;
  };
  return { event, find, tenant: find('Tenant') };
}

/** Events of changes of the kind Event, of which only those that are about the platform are told. */
function platformEventsField(
  kinds: PlatformEventKinds,
  { type, args }: GraphQLFieldConfig<unknown, GraphqlContext>,
): GraphQLFieldConfig<unknown, GraphqlContext> {
  return {
    type,
    description:
      'What happens to the platform itself, such as circuit breakers of plugins and reloads of the configuration, for those who may watch events in the namespace `default`; others of a tenant are told what happens to their Tenant and its quotas.',
    args: Object.fromEntries(Object.entries(args ?? {}).filter(([name]) => name === 'since' || name === 'bookmarks')),
    subscribe: (_, query, context) => platformEvents(kinds, query as Pick<ChangeQuery, 'since' | 'bookmarks'>, context),
    resolve: toldValue,
  };
}

function progressField({ served }: ExposedKind, type: GraphQLObjectType): GraphQLFieldConfig<unknown, GraphqlContext> {
  return {
    type: new GraphQLNonNull(type),
    description:
      'One operation, whenever something that is selected has changed; ends with the operation. An error when there is none of this name.',
    args: {
      namespace: { type: new GraphQLNonNull(GraphQLString), description: 'Namespace of the operation.' },
      name: { type: new GraphQLNonNull(GraphQLString), description: 'Name of the operation.' },
    },
    subscribe: (_, args, context) => operationProgress(served, args as { readonly namespace: string; readonly name: string }, context),
    resolve: toldValue,
  };
}
