/** Queries and subscriptions that select everything that objects of a schema have. */
import {
  getNamedType,
  isCompositeType,
  isInterfaceType,
  isObjectType,
  isRequiredArgument,
  isUnionType,
  type GraphQLField,
  type GraphQLNamedType,
  type GraphQLSchema,
} from 'graphql';

type Field = GraphQLField<unknown, unknown>;

const levelsMax = 5;

/** What a field is selected by, with the fields of its type below it. Nothing when it needs arguments, or none of them can be had. */
function selected(field: Field, levels: number, hidden: ReadonlySet<string>): string {
  const type = getNamedType(field.type);
  if (field.args.some(isRequiredArgument)) return '';
  if (!isCompositeType(type)) return field.name;
  const below = everything(type, levels, hidden);
  const isPage = field.args.some(({ name }) => name === 'first');
  return below === '' ? '' : `${field.name}${isPage ? '(first: 2)' : ''} { ${below} }`;
}

/** A nested object of another kind has an access check of its own. */
function everything(type: GraphQLNamedType, levels: number, hidden: ReadonlySet<string>): string {
  if (isResource(type)) return '__typename name';
  if (isUnionType(type) || levels > levelsMax) return '__typename';
  if (!isObjectType(type) && !isInterfaceType(type)) return '';
  return Object.values(type.getFields())
    .filter(({ name }) => !hidden.has(`${type.name}.${name}`))
    .map((field) => selected(field, levels + 1, hidden))
    .join(' ');
}

const isResource = (type: GraphQLNamedType): boolean => isObjectType(type) && type.getInterfaces().some(({ name }) => name === 'Resource');

export interface SelectedDocument {
  /** The root field. */
  readonly field: string;
  readonly text: string;
}

/** Each selects one part of the objects that a root field leads to, since all parts together exceed the limits of a document. */
export interface EverySelection {
  readonly queries: readonly SelectedDocument[];
  readonly subscriptions: readonly SelectedDocument[];
}

/** `hidden` are fields that are not selected, such as `Secret.data`. */
export function everySelection(schema: GraphQLSchema, hidden: ReadonlySet<string>): EverySelection {
  const documentsOf = (type: GraphQLNamedType | null | undefined, keyword: string, carrier: string): readonly SelectedDocument[] => {
    if (!isObjectType(type)) return [];
    const fields = Object.values(type.getFields()).filter(({ args }) => !args.some(isRequiredArgument));
    return fields.flatMap((field) => {
      const received = getNamedType(field.type);
      const carried = isObjectType(received) ? received.getFields()[carrier] : undefined;
      const place = (text: string) => `${keyword} { ${field.name} { ${carried === undefined ? text : `${carrier} { ${text} }`} } }`;
      return partsOf(carried === undefined ? received : getNamedType(carried.type), hidden).map((text) => ({
        field: field.name,
        text: place(text),
      }));
    });
  };
  return {
    queries: documentsOf(schema.getQueryType(), 'query', 'nodes'),
    subscriptions: documentsOf(schema.getSubscriptionType(), 'subscription', 'object'),
  };
}

/** What has fields of its own, one by one, and the rest together. */
function partsOf(type: GraphQLNamedType, hidden: ReadonlySet<string>): readonly string[] {
  if (!isObjectType(type)) return [];
  const fields = Object.values(type.getFields()).filter(({ name }) => !hidden.has(`${type.name}.${name}`));
  const texts = fields.map((field) => selected(field, 1, hidden)).filter((text) => text !== '');
  const leaves = texts.filter((text) => !text.includes('{'));
  return [...(leaves.length === 0 ? [] : [leaves.join(' ')]), ...texts.filter((text) => text.includes('{'))];
}
