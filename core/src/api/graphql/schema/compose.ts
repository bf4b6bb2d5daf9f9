import { GraphQLObjectType, GraphQLSchema, type GraphQLSchemaConfig } from 'graphql';
import type { ServedAction, ServedField } from '../../contributions.js';
import type { ServedKind } from '../../../ports/engine.js';
import { exposedKinds } from './exposed-kinds.js';
import { InputTypes } from './input-types.js';
import { mutationFields } from './mutations.js';
import { ObjectTypes } from './object-types.js';
import { OutputTypes } from './output-types.js';
import { ownQueries, queryFields } from './queries.js';
import { subscriptionFields } from './subscriptions.js';
import { logSubscription } from './workload-fields.js';
import { TypeNames } from './type-names.js';

const ownTypes: readonly string[] = (
  'Query Mutation Subscription Node Resource PageInfo Viewer Platform HealthCheck Hook RateLimit UserError Propagation ChangeType LogLine ' +
  'ApplicationPod ConfigurationReference ConfigurationSource ConfigurationValue Placement PlacementOutcome PlacementRefusal PlacementScore ' +
  'String Int Float Boolean ID JSON Time Long IntOrString'
).split(' ');

/** Everything that the schema is composed of. */
export interface SchemaSources {
  readonly kinds: readonly ServedKind[];
  readonly actions: readonly ServedAction[];
  readonly fields: readonly ServedField[];
}

/** Composes the schema of what is loaded; the same sources give the same schema, including all names. */
export function composeSchema(sources: SchemaSources): GraphQLSchema {
  return new GraphQLSchema(schemaConfig(sources));
}

/** Makes the root types; the fields of all others are made when the schema is constructed, which takes as long again. */
export function schemaConfig({ kinds, actions, fields }: SchemaSources): GraphQLSchemaConfig {
  const names = new TypeNames(ownTypes);
  const parts = { kinds: exposedKinds(kinds, names, new TypeNames(ownQueries)), actions, fields };
  const outputs = new OutputTypes(names);
  const types = { outputs, inputs: new InputTypes(names, outputs) };
  const objects = new ObjectTypes(parts, types);
  const query = new GraphQLObjectType({
    name: 'Query',
    description: 'Everything that can be read; an object is shown only to callers who may get it over REST.',
    fields: queryFields(parts, objects, names),
  });
  const mutation = new GraphQLObjectType({
    name: 'Mutation',
    description: 'Everything that can be changed; each write passes the same checks, hooks and limits as over REST.',
    fields: mutationFields(parts, objects, types, names),
  });
  const subscription = new GraphQLObjectType({
    name: 'Subscription',
    description: 'Everything that can be subscribed to over a WebSocket with the protocol graphql-transport-ws.',
    fields: { ...logSubscription(parts.kinds), ...subscriptionFields(parts, objects, names) },
  });
  return {
    query,
    mutation,
    subscription,
    types: [...objects.all()],
    description: 'The API of TAPPaaS for its consumers: kinds, the relations between them, and fields that plugins add.',
  };
}
