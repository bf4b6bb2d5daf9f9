/**
 * Every field of every object type that is not a part of the object itself: the rights that it needs, and the users who are allowed them.
 * The contents of an object are returned with it; every other field leads to further objects and has an access check of its own.
 */
import {
  getNamedType,
  getNullableType,
  isCompositeType,
  isLeafType,
  isListType,
  isObjectType,
  type GraphQLField,
  type GraphQLObjectType,
} from 'graphql';
import type { AccessCheck } from './comparison.ts';
import { letInTo } from './graphql.ts';
import { keyOf, requiredArguments, verbOf, type GraphqlWorld, type Kind } from './graphql-schema.ts';
import { named } from './world.ts';

type Field = GraphQLField<unknown, unknown>;

/** Returned with every object. */
const common = new Set(['id', 'apiVersion', 'kind', 'name', 'namespace', 'metadata']);
/** Types that wrap the requested value of the field above them, and the wrapping fields. */
const carriers = /(Connection|Edge|Payload|Change)$/;
const carrying = new Set('edges nodes node cursor pageInfo resourceVersion object type operation output warnings userErrors'.split(' '));
const isRoot = (name: string): boolean => ['Query', 'Mutation', 'Subscription'].includes(name);

/** Where objects of a type of its own are found. */
const hello = (selection: string): string => `{ application(namespace: "shop", name: "hello") { ${selection} } }`;
const reached: Readonly<Record<string, (selection: string) => string>> = {
  Viewer: (selection) => `{ viewer { ${selection} } }`,
  RateLimit: (selection) => `{ rateLimit { ${selection} } }`,
  Platform: (selection) => `{ platform { ${selection} } }`,
  HealthCheck: (selection) => `{ platform { health { ${selection} } } }`,
  Hook: (selection) => `{ platform { hooks { ${selection} } } }`,
  ApplicationPod: (selection) => hello(`pods { ${selection} }`),
  Placement: (selection) => hello(`pods { placement { ${selection} } }`),
  LogLine: (selection) => hello(`logs(tail: 1) { ${selection} }`),
  ConfigurationValue: (selection) => hello(`configuration { ${selection} }`),
};

/** A field of a type, and the rights that are needed to read it. */
export interface NestedField {
  readonly where: string;
  /** Of what kind the object is that it is a field of; absent where that is no kind. */
  readonly parent?: Kind;
  readonly needs: readonly string[];
  /** The query that selects it; undefined if the matrix cannot find such an object. */
  readonly text: string | undefined;
}

/** All of them. Types that hold only values are looked through where they are not a kind's own. */
export async function nestedFields(graphql: GraphqlWorld): Promise<readonly NestedField[]> {
  const seen = new Set<string>();
  const found: NestedField[] = [];
  const visit = async (type: GraphQLObjectType): Promise<void> => {
    if (seen.has(type.name)) return;
    seen.add(type.name);
    const kind = graphql.kinds.get(type.name);
    const fields = Object.values(type.getFields()).filter(
      ({ name }) => kind === undefined || !(common.has(name) || kind.properties.has(name)),
    );
    for (const field of fields) {
      const isCarried = isRoot(type.name) || (carriers.test(type.name) && carrying.has(field.name));
      if (!isCarried) found.push(kind ? await fieldOfKind(graphql, type, kind, field) : fieldOfOwn(graphql, type, field));
      const inner = getNamedType(field.type);
      if (isObjectType(inner) && !isValue(graphql, inner)) await visit(inner);
    }
  };
  for (const type of [graphql.schema.getQueryType(), graphql.schema.getMutationType(), graphql.schema.getSubscriptionType()]) {
    if (type) await visit(type);
  }
  return found;
}

/** Made of leaves and of such types alone. */
function isValue({ kinds }: GraphqlWorld, type: GraphQLObjectType, above: readonly string[] = []): boolean {
  if (kinds.has(type.name) || type.name in reached || carriers.test(type.name)) return false;
  return Object.values(type.getFields()).every(({ type: each, args }) => {
    const inner = getNamedType(each);
    if (args.length > 0) return false;
    return (
      isLeafType(inner) ||
      (isObjectType(inner) && (above.includes(inner.name) || isValue({ kinds } as GraphqlWorld, inner, [...above, type.name])))
    );
  });
}

const selectionOf = ({ name, args, type }: Field): string =>
  `${name}${requiredArguments(args)}${isCompositeType(getNamedType(type)) ? ' { __typename }' : ''}`;

async function fieldOfKind(graphql: GraphqlWorld, { name: typeName }: GraphQLObjectType, parent: Kind, field: Field): Promise<NestedField> {
  const where = `${typeName}.${field.name}`;
  const name = await nameOf(graphql, typeName, parent);
  const one = oneOf(graphql, typeName);
  const text = name && one && `{ ${one}(${keyOf(parent, name)}) { ${selectionOf(field)} } }`;
  return { where, parent, needs: [verbOf('get', parent), ...needsOf(graphql, parent, where, field)], text };
}

/** What is needed for a field of a kind, besides its object. */
function needsOf({ kinds }: GraphqlWorld, parent: Kind, where: string, { name, type }: Field): readonly string[] {
  const target = kinds.get(getNamedType(type).name);
  // Events about what has no namespace are for who may see what they are about.
  if (name === 'events' && !parent.isNamespaced) return [];
  if (target === undefined) return [`FIELD ${where} path`];
  if (!isListType(getNullableType(type))) return [verbOf('get', target)];
  return [parent.isNamespaced ? verbOf('list', target) : `list ${target.group}/${target.resource} across`];
}

function fieldOfOwn(graphql: GraphqlWorld, { name: typeName }: GraphQLObjectType, field: Field): NestedField {
  const where = `${typeName}.${field.name}`;
  const target = graphql.kinds.get(getNamedType(field.type).name);
  const needs = target ? [verbOf(isListType(getNullableType(field.type)) ? 'list' : 'get', target)] : [`FIELD ${where} path`];
  return { where, needs, text: reached[typeName]?.(selectionOf(field)) };
}

/** The field of Query that gives one object of a type. */
function oneOf({ schema }: GraphqlWorld, typeName: string): string | undefined {
  const fields = Object.values(schema.getQueryType()?.getFields() ?? {});
  return fields.find(
    ({ type, args }) =>
      getNullableType(type) === getNamedType(type) && getNamedType(type).name === typeName && args.some(({ name }) => name === 'name'),
  )?.name;
}

/** Name of an object of a type that there is. */
async function nameOf(graphql: GraphqlWorld, typeName: string, kind: Kind): Promise<string | undefined> {
  const known = named[`${kind.group}/${kind.resource}`];
  if (known !== undefined) return known;
  const fields = Object.values(graphql.schema.getQueryType()?.getFields() ?? {});
  const many = fields.find(({ type }) => getNamedType(type).name === `${typeName}Connection`)?.name;
  const within = kind.isNamespaced ? 'namespace: "shop", ' : '';
  const data = await graphql.data<Record<string, { nodes: readonly { name: string }[] }>>(
    `{ ${many}(${within}first: 1) { nodes { name } } }`,
  );
  return data[many ?? '']?.nodes[0]?.name;
}

export async function fieldQuestions(graphql: GraphqlWorld): Promise<readonly AccessCheck[]> {
  const fields = await nestedFields(graphql);
  return fields.map(({ where, needs, text }) => ({ engine: 'platform', needs, where, allowed: () => letInTo(graphql, text) }));
}
