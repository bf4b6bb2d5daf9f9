import { platformEngine } from '@tappaas/sdk';
import { GraphQLBoolean, GraphQLList, GraphQLNonNull, GraphQLObjectType, GraphQLString, type GraphQLFieldConfig } from 'graphql';
import { accessRequest } from '../../authorization.js';
import type { GraphqlContext } from '../context.js';

interface CanArguments {
  readonly verb: string;
  readonly resource: string;
  readonly group: string;
  readonly subresource?: string | null;
  readonly namespace?: string | null;
  readonly name?: string | null;
}

/** The field for the caller and the caller's rights. */
export const viewerField: GraphQLFieldConfig<unknown, GraphqlContext> = {
  type: new GraphQLNonNull(
    new GraphQLObjectType<GraphqlContext>({
      name: 'Viewer',
      description: 'The authenticated caller.',
      fields: {
        name: { type: new GraphQLNonNull(GraphQLString), description: 'Name of the caller.', resolve: ({ caller }) => caller.name },
        groups: {
          type: new GraphQLNonNull(new GraphQLList(new GraphQLNonNull(GraphQLString))),
          description: 'Groups of the caller.',
          resolve: ({ caller }) => caller.groups,
        },
        tenant: { type: GraphQLString, description: 'The tenant that the caller belongs to.', resolve: ({ caller }) => caller.tenant },
        can: {
          type: new GraphQLNonNull(GraphQLBoolean),
          description: 'Whether the caller may do something; the object need not exist.',
          args: {
            verb: {
              type: new GraphQLNonNull(GraphQLString),
              description: 'Verb of the request: get, list, watch, create, update, patch, delete or the name of an action’s verb.',
            },
            resource: { type: new GraphQLNonNull(GraphQLString), description: 'Plural of the kind in lower case, such as `applications`.' },
            group: {
              type: new GraphQLNonNull(GraphQLString),
              defaultValue: '',
              description: 'API group of the kind, such as `apps.tappaas.dev`; empty for the core group.',
            },
            subresource: { type: GraphQLString, description: 'Part of the object, such as `status` or an action.' },
            namespace: { type: GraphQLString, description: 'Namespace of the object; default: all namespaces.' },
            name: { type: GraphQLString, description: 'Name of the object; default: any object.' },
          },
          resolve: can,
        },
      },
    }),
  ),
  description: 'The caller, and what the caller may do.',
  resolve: (_, _arguments, context) => context,
};

async function can({ parts, caller }: GraphqlContext, requested: CanArguments): Promise<boolean> {
  const { verb, resource, group, subresource, namespace, name } = requested;
  const served = parts
    .engine()
    .kinds()
    .find((kind) => kind.group === group && kind.plural === resource);
  const target = {
    kind: { group, version: served?.version ?? '', plural: resource },
    ...(subresource ? { subresource } : {}),
    ...(namespace ? { namespace } : {}),
    ...(name ? { name } : {}),
  };
  const request = accessRequest({ engine: platformEngine, path: '', verb, target }, caller);
  // A review, so a caller who may see part of a collection counts as allowed to list it.
  const { decision } = await parts.authorize({ ...request, canNarrow: true, isReview: true });
  return decision === 'allow';
}
