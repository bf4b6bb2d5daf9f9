import {
  GraphQLBoolean,
  GraphQLID,
  GraphQLInt,
  GraphQLList,
  GraphQLNonNull,
  GraphQLObjectType,
  GraphQLString,
  type GraphQLFieldConfig,
} from 'graphql';
import { costMax, depthMax } from '../cost.js';
import type { GraphqlContext } from '../context.js';
import { readGlobalId } from '../global-id.js';
import type { ObjectBody, ObjectReader } from '../object-reader.js';
import { connectionField, connectionType } from './connections.js';
import type { ExposedKind } from './exposed-kinds.js';
import type { ObjectTypes } from './object-types.js';
import type { Fields } from './output-types.js';
import { platformField } from './platform.js';
import { findKind, type SchemaParts } from './schema-parts.js';
import type { TypeNames } from './type-names.js';
import { viewerField } from './viewer.js';

const idsMax = 100;

/** The fields of Query that belong to no kind; their names are reserved. */
export const ownQueries: readonly string[] = ['node', 'nodes', 'viewer', 'platform', 'rateLimit'];

/** Makes the fields of Query. */
export function queryFields(parts: SchemaParts, objects: ObjectTypes, names: TypeNames): Fields {
  const byKind = parts.kinds.flatMap((kind) => {
    const type = objects.of(kind);
    return [
      [kind.one, oneField(kind, type)],
      [kind.many, connectionField(kind.served, connectionType(names, type))],
    ] as const;
  });
  return {
    ...nodeFields(parts.kinds, objects),
    viewer: viewerField,
    platform: platformField(parts, objects),
    rateLimit: rateLimitField,
    ...(Object.fromEntries(byKind) as Fields),
  };
}

function oneField({ served }: ExposedKind, type: GraphQLObjectType): GraphQLFieldConfig<unknown, GraphqlContext> {
  const isNamespaced = served.scope === 'Namespaced';
  return {
    type,
    description: `${served.description} The object with this name; null when there is none.`,
    args: {
      ...(isNamespaced && { namespace: { type: new GraphQLNonNull(GraphQLString), description: 'Namespace of the object.' } }),
      name: { type: new GraphQLNonNull(GraphQLString), description: 'Name of the object.' },
    },
    resolve: (_, { namespace, name }: Readonly<Record<string, string>>, { reader }) =>
      reader.get(served, { name: name ?? '', ...(namespace !== undefined && { namespace }) }),
  };
}

function nodeFields(kinds: readonly ExposedKind[], { node }: ObjectTypes): Fields {
  return {
    node: {
      type: node,
      description: 'The object with this id; null when it no longer exists.',
      args: { id: { type: new GraphQLNonNull(GraphQLID), description: 'The global id of an object.' } },
      resolve: (_, { id }: { readonly id: string }, { reader }) => findNode(kinds, reader, id),
    },
    nodes: {
      type: new GraphQLNonNull(new GraphQLList(node)),
      description: 'The objects with these ids, in the order of the ids.',
      args: { ids: { type: new GraphQLNonNull(new GraphQLList(new GraphQLNonNull(GraphQLID))), description: `At most ${idsMax} ids.` } },
      extensions: { cost: { points: 1, countedBy: 'ids', countMax: idsMax } },
      resolve: (_, { ids }: { readonly ids: readonly string[] }, { reader }) => ids.map((id) => findNode(kinds, reader, id)),
    },
  } as Fields;
}

async function findNode(kinds: readonly ExposedKind[], reader: ObjectReader, id: string): Promise<ObjectBody | undefined> {
  const key = readGlobalId(id);
  const kind = key && findKind(kinds, key.group, key.kind);
  if (key === undefined || kind === undefined) return undefined;
  const { namespace, name } = key;
  if ((namespace !== undefined) !== (kind.served.scope === 'Namespaced')) return undefined;
  const object = await reader.load(kind.served, { name, ...(namespace !== undefined && { namespace }) });
  return object?.metadata.uid === key.uid ? object : undefined;
}

const rateLimitField: GraphQLFieldConfig<unknown, GraphqlContext> = {
  type: new GraphQLNonNull(
    new GraphQLObjectType<GraphqlContext>({
      name: 'RateLimit',
      description: 'Cost of this operation, and the maximum cost of an operation.',
      fields: {
        cost: { type: new GraphQLNonNull(GraphQLInt), description: 'Points that this operation costs.', resolve: ({ cost }) => cost.cost },
        costMax: { type: new GraphQLNonNull(GraphQLInt), description: 'Points that one operation may cost.', resolve: () => costMax },
        depth: {
          type: new GraphQLNonNull(GraphQLInt),
          description: 'Nesting levels of this operation.',
          resolve: ({ cost }) => cost.depth,
        },
        depthMax: {
          type: new GraphQLNonNull(GraphQLInt),
          description: 'Nesting levels that one operation may have.',
          resolve: () => depthMax,
        },
      },
    }),
  ),
  description: 'Cost of this operation. Requests are counted separately, in the header RateLimit.',
  args: {
    dryRun: {
      type: new GraphQLNonNull(GraphQLBoolean),
      defaultValue: false,
      description: 'Return only the cost: nothing else of the operation is executed.',
    },
  },
  extensions: { cost: { points: 0 } },
  resolve: (_, _arguments, context) => context,
};
