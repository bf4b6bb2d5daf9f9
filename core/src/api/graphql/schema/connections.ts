import {
  GraphQLBoolean,
  GraphQLInt,
  GraphQLList,
  GraphQLNonNull,
  GraphQLObjectType,
  GraphQLString,
  type GraphQLFieldConfig,
  type GraphQLFieldConfigArgumentMap,
} from 'graphql';
import type { Awaitable } from '@tappaas/sdk';
import { after } from '../../after.js';
import type { ListPage, ServedKind } from '../../../ports/engine.js';
import type { GraphqlContext } from '../context.js';
import { refuseEmpty } from '../empty-arguments.js';
import type { ObjectBody } from '../object-reader.js';
import { firstDefault, firstMax, freeOfCharge, pageCost } from './cost-hints.js';
import type { TypeNames } from './type-names.js';

/** A page and its request; the resolvers of edges and page info read both. */
interface Page {
  readonly list: ListPage;
  readonly after: string | undefined;
}

interface Edge {
  readonly page: ListPage;
  readonly index: number;
}

interface PageArguments {
  readonly first: number;
  readonly after?: string | null;
  readonly namespace?: string | null;
  readonly labels?: string | null;
  readonly fields?: string | null;
}

const pageInfo = new GraphQLObjectType<Page>({
  name: 'PageInfo',
  description: 'Position of a page among the others.',
  fields: {
    hasNextPage: {
      type: new GraphQLNonNull(GraphQLBoolean),
      description: 'Whether more objects follow.',
      resolve: ({ list }) => list.continueToken !== undefined,
    },
    hasPreviousPage: {
      type: new GraphQLNonNull(GraphQLBoolean),
      description: 'Whether objects precede the page; pages are read forwards only.',
      resolve: ({ after }) => after !== undefined,
    },
    startCursor: {
      type: GraphQLString,
      description: 'Cursor of the first object.',
      resolve: ({ list }) => cursorAt(list, 0),
    },
    endCursor: {
      type: GraphQLString,
      description: 'Cursor of the last object: give it as `after` for the next page.',
      resolve: ({ list }) => cursorAt(list, list.items.length - 1),
    },
  },
});

const cursors = new WeakMap<ListPage, Map<number, string>>();

/** Returns the cursor of an item. Cached, because sealing the same position again would give another text. */
function cursorAt(page: ListPage, index: number): string | undefined {
  if (index < 0 || index >= page.items.length) return undefined;
  if (index === page.items.length - 1 && page.continueToken !== undefined) return page.continueToken;
  const known = cursors.get(page) ?? new Map<number, string>();
  cursors.set(page, known);
  const cursor = known.get(index) ?? page.tokenAfter(index);
  known.set(index, cursor);
  return cursor;
}

/** Makes the connection type of a kind, as Relay specifies. */
export function connectionType(names: TypeNames, node: GraphQLObjectType): GraphQLObjectType {
  const edge = new GraphQLObjectType<Edge>({
    name: names.claim(`${node.name}Edge`),
    description: `One ${node.name} of a page, with its cursor.`,
    fields: {
      cursor: {
        type: new GraphQLNonNull(GraphQLString),
        description: 'Cursor of the object, to continue after it.',
        resolve: ({ page, index }) => cursorAt(page, index),
      },
      node: {
        type: new GraphQLNonNull(node),
        description: 'The object.',
        extensions: freeOfCharge,
        resolve: ({ page, index }) => page.items[index]?.object,
      },
    },
  });
  return new GraphQLObjectType<Page>({
    name: names.claim(`${node.name}Connection`),
    description: `A page of ${node.name} objects, in the order of namespace and name.`,
    fields: {
      edges: {
        type: new GraphQLNonNull(new GraphQLList(new GraphQLNonNull(edge))),
        description: 'The objects with their cursors.',
        extensions: freeOfCharge,
        resolve: ({ list }) => list.items.map((_, index): Edge => ({ page: list, index })),
      },
      nodes: {
        type: new GraphQLNonNull(new GraphQLList(new GraphQLNonNull(node))),
        description: 'The objects without cursors.',
        extensions: freeOfCharge,
        resolve: ({ list }) => list.items.map(({ object }) => object),
      },
      pageInfo: { type: new GraphQLNonNull(pageInfo), description: 'Position of the page.', resolve: (page) => page },
      resourceVersion: {
        type: new GraphQLNonNull(GraphQLString),
        description: 'The state that the page shows: give it as `since` to a subscription, and nothing is missed.',
        resolve: ({ list }) => list.resourceVersion,
      },
    },
  });
}

/** The argument for the size of a page. */
export const firstArgument = {
  type: new GraphQLNonNull(GraphQLInt),
  defaultValue: firstDefault,
  description: `Number of objects, from 1 to ${firstMax}; more is an error.`,
};

/** Makes the query for many objects of a kind. */
export function connectionField(kind: ServedKind, type: GraphQLObjectType): GraphQLFieldConfig<unknown, GraphqlContext, PageArguments> {
  const args: GraphQLFieldConfigArgumentMap = {
    first: firstArgument,
    after: { type: GraphQLString, description: 'Cursor of the object to continue after.' },
    ...(kind.scope === 'Namespaced' && {
      namespace: { type: GraphQLString, description: 'Only in this namespace; default: in all namespaces.' },
    }),
    labels: { type: GraphQLString, description: 'Label selector, such as `app=shop,tier in (web, api)`.' },
    fields: { type: GraphQLString, description: 'Field selector, such as `metadata.name=shop`.' },
  };
  return {
    type: new GraphQLNonNull(type),
    description: `${kind.description} The objects that the caller may list, page by page.`,
    args,
    extensions: pageCost,
    resolve: (_, { first, after: cursor, namespace, labels, fields }, { reader }): Awaitable<Page> => {
      refuseEmpty({ namespace }, () => 'the namespace to list, or null for all, found an empty text');
      const query = {
        first,
        ...(cursor ? { after: cursor } : {}),
        ...(namespace ? { namespace } : {}),
        ...(labels ? { labels } : {}),
        ...(fields ? { fields } : {}),
      };
      return after(reader.list(kind, query), (list) => ({ list, after: cursor ?? undefined }));
    },
  };
}

/** Returns the first children, up to the given number. */
export function firstOf(children: readonly ObjectBody[], first: number): readonly ObjectBody[] {
  return children.length > first ? children.slice(0, first) : children;
}
