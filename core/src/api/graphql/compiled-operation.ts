import {
  BREAK,
  getNamedType,
  isInputObjectType,
  isInputType,
  isNonNullType,
  Kind,
  typeFromAST,
  valueFromASTUntyped,
  visit,
  type DocumentNode,
  type ExecutionResult,
  type GraphQLInputType,
  type GraphQLSchema,
  type OperationDefinitionNode,
} from 'graphql';
import { compileQuery, isCompiledQuery } from 'graphql-jit';
import type { GraphqlContext } from './context.js';

export type Variables = Readonly<Record<string, unknown>>;

/** An operation made into a function of its variables. */
export interface CompiledOperation {
  readonly query: (root: unknown, context: GraphqlContext, variables: Variables | undefined) => ExecutionResult | Promise<ExecutionResult>;
}

/**
 * Compiles one operation of a valid document; nothing where the compiler does not know how, or knows it otherwise than the specification: it is then
 * executed as it is.
 */
export function compileOperation(
  schema: GraphQLSchema,
  document: DocumentNode,
  operation: OperationDefinitionNode,
): CompiledOperation | undefined {
  if (hasVariableInLiteral(document) || hasMisreadVariable(schema, operation)) return undefined;
  const made = compileQuery(schema, document, operation.name?.value, { disablingCapturingStackErrors: true });
  if (!isCompiledQuery(made)) return undefined;
  const defaults = requiredDefaults(operation);
  return {
    query: (root, context, variables) => made.query(root, context, defaults === undefined ? variables : { ...defaults, ...variables }),
  };
}

/**
 * The defaults of variables that may not be null, as a client would send them: the compiler takes such a variable for missing when it is
 * left out, whatever its default.
 */
function requiredDefaults({ variableDefinitions = [] }: OperationDefinitionNode): Variables | undefined {
  const defaults = variableDefinitions.flatMap(({ variable, type, defaultValue }) =>
    type.kind === Kind.NON_NULL_TYPE && defaultValue !== undefined
      ? [[variable.name.value, valueFromASTUntyped(defaultValue)] as const]
      : [],
  );
  return defaults.length === 0 ? undefined : Object.fromEntries(defaults);
}

/** Left out, such a variable leaves out its field of the literal; compiled, it would be null there, which deletes. */
function hasVariableInLiteral(document: DocumentNode): boolean {
  let found = false;
  let depth = 0;
  const literal = { enter: () => void (depth += 1), leave: () => void (depth -= 1) };
  visit(document, {
    ObjectValue: literal,
    ListValue: literal,
    Variable: () => {
      found ||= depth > 0;
      return found ? BREAK : undefined;
    },
  });
  return found;
}

/**
 * Variables of types that the compiler writes out wrongly, or without end: one that holds itself, and one with a field that has to be there and
 * has a default, which it takes for missing when it is left out.
 */
function hasMisreadVariable(schema: GraphQLSchema, { variableDefinitions = [] }: OperationDefinitionNode): boolean {
  return variableDefinitions.some(({ type }) => {
    const found = typeFromAST(schema, type);
    return isInputType(found) && isMisread(found, new Set());
  });
}

function isMisread(type: GraphQLInputType, above: ReadonlySet<unknown>): boolean {
  const named = getNamedType(type);
  if (!isInputObjectType(named)) return false;
  if (above.has(named)) return true;
  const within = new Set([...above, named]);
  return Object.values(named.getFields()).some(
    (field) => (isNonNullType(field.type) && field.defaultValue !== undefined) || isMisread(field.type, within),
  );
}
