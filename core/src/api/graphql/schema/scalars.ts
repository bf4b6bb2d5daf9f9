import { GraphQLError, GraphQLScalarType, Kind, valueFromASTUntyped } from 'graphql';

/** Any JSON value. */
export const jsonScalar = new GraphQLScalarType({
  name: 'JSON',
  description: 'Free-form JSON without a type known to the platform: its author describes the content.',
  serialize: (value) => value,
  parseValue: (value) => value,
  parseLiteral: (node, variables) => valueFromASTUntyped(node, variables),
});

export const timeScalar = new GraphQLScalarType<unknown, unknown>({
  name: 'Time',
  description: 'A point in time as RFC 3339 writes it, such as `2026-11-30T08:00:00Z`.',
  serialize: (value) => value,
  parseValue: (value) => text(value, 'Time'),
  parseLiteral: (node) => text(valueFromASTUntyped(node), 'Time'),
});

export const longScalar = new GraphQLScalarType<unknown, unknown>({
  name: 'Long',
  description: 'A whole number between -(2^53 - 1) and 2^53 - 1.',
  serialize: (value) => value,
  parseValue: wholeNumber,
  parseLiteral: (node) => {
    if (node.kind !== Kind.INT) throw new GraphQLError('expected a whole number', { nodes: node });
    return wholeNumber(Number(node.value));
  },
});

export const intOrStringScalar = new GraphQLScalarType<unknown, unknown>({
  name: 'IntOrString',
  description: 'A number, or a string such as a percentage or the name of a port.',
  serialize: (value) => value,
  parseValue: intOrString,
  parseLiteral: (node) => (node.kind === Kind.INT ? wholeNumber(Number(node.value)) : intOrString(valueFromASTUntyped(node))),
});

function text(value: unknown, what: string): string {
  if (typeof value === 'string') return value;
  throw new GraphQLError(`expected a ${what} as a string`);
}

function wholeNumber(value: unknown): number {
  if (typeof value === 'number' && Number.isSafeInteger(value)) return value;
  throw new GraphQLError('expected a whole number between -(2^53 - 1) and 2^53 - 1');
}

function intOrString(value: unknown): number | string {
  return typeof value === 'string' ? value : wholeNumber(value);
}
