/** The schema of a running platform, and queries that are made from it. */
import {
  buildClientSchema,
  getIntrospectionQuery,
  getNamedType,
  getNullableType,
  isEnumType,
  isInputObjectType,
  isListType,
  isRequiredArgument,
  isRequiredInputField,
  type GraphQLArgument,
  type GraphQLInputType,
  type GraphQLSchema,
  type IntrospectionQuery,
} from 'graphql';
import type { Person } from './table.ts';
import { absent, named, type AccessWorld } from './world.ts';

/** A kind of the platform's own engine. */
export interface Kind {
  readonly group: string;
  readonly resource: string;
  readonly isNamespaced: boolean;
  /** What stands in an object of it, by name. */
  readonly properties: ReadonlySet<string>;
}

export class GraphqlWorld {
  readonly world: AccessWorld;
  readonly schema: GraphQLSchema;
  /** By the name of its type. */
  readonly kinds: ReadonlyMap<string, Kind>;

  constructor(world: AccessWorld, schema: GraphQLSchema) {
    this.world = world;
    this.schema = schema;
    const served = world.platform.engines.of('platform').kinds();
    this.kinds = new Map(
      served.map((each) => {
        const { properties = {} } = (each.components() as Record<string, { properties?: object }>)[each.schemaName] ?? {};
        const { group, plural: resource, scope } = each;
        return [each.kind, { group, resource, isNamespaced: scope === 'Namespaced', properties: new Set(Object.keys(properties)) }];
      }),
    );
  }

  static async of(world: AccessWorld): Promise<GraphqlWorld> {
    const { text } = await world.sendAs('administrator', 'POST', '/graphql', { query: getIntrospectionQuery() });
    return new GraphqlWorld(world, buildClientSchema((JSON.parse(text) as { data: IntrospectionQuery }).data));
  }

  /** The answer as text. */
  async query(person: Person | 'administrator', query: string): Promise<string> {
    return (await this.world.sendAs(person, 'POST', '/graphql', { query })).text;
  }

  /** The same, for what has to be there. @throws when anything is wrong with it */
  async data<T>(query: string): Promise<T> {
    const text = await this.query('administrator', query);
    const { data, errors } = JSON.parse(text) as { data: T; errors?: unknown };
    if (errors !== undefined) throw new Error(`${query}: ${text}`);
    return data;
  }
}

export const isForbidden = (text: string): boolean =>
  text.includes('TAP_REQUEST_FORBIDDEN') || text.includes('TAP_REQUEST_UNAUTHENTICATED');

/** A verb of a kind as the table writes it. */
export const verbOf = (verb: string, { group, resource, isNamespaced }: Kind, part = ''): string =>
  `${verb} ${group}/${resource}${part} ${isNamespaced ? 'in' : 'cluster'}`;

/** Arguments that name an object of a kind: the one that is there, else one that is not. */
export function keyOf({ group, resource, isNamespaced }: Kind, name = named[`${group}/${resource}`] ?? absent): string {
  return `${isNamespaced ? 'namespace: "shop", ' : ''}name: "${name}"`;
}

/** Something that fits a type as far as GraphQL looks, with no more than has to be there. */
function filler(type: GraphQLInputType): string {
  if (isListType(getNullableType(type))) return '[]';
  const inner = getNamedType(type);
  if (isEnumType(inner)) return inner.getValues()[0]?.name ?? '';
  if (isInputObjectType(inner)) return `{ ${required(inner, [])} }`;
  return ({ Int: '1', Float: '1', Boolean: 'false' } as Record<string, string>)[inner.name] ?? '"x"';
}

/** The fields of an input that have to be there, besides those that are given. */
export function required(type: GraphQLInputType, given: readonly string[]): string {
  const inner = getNamedType(type);
  const fields = isInputObjectType(inner) ? Object.values(inner.getFields()) : [];
  return fields
    .filter((field) => isRequiredInputField(field) && !given.includes(field.name))
    .map((field) => `${field.name}: ${filler(field.type)}`)
    .join(', ');
}

/** The arguments that have to be there, in brackets. */
export function requiredArguments(all: readonly GraphQLArgument[]): string {
  const filled = all.filter(isRequiredArgument).map(({ name, type }) => `${name}: ${filler(type)}`);
  return filled.length === 0 ? '' : `(${filled.join(', ')})`;
}
