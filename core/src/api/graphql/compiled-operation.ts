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

/** An operation compiled into a function of its variables. */
export interface CompiledOperation {
  readonly query: (root: unknown, context: GraphqlContext, variables: Variables | undefined) => ExecutionResult | Promise<ExecutionResult>;
}

/**
 * Compiles one operation of a valid document. Returns undefined where the compiler does not support the document or deviates from the
 * specification; the operation is then interpreted.
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
 * Returns the defaults of non-null variables, to be passed as if the client had sent them: the compiler reports such a variable as missing
 * when it is omitted, even if it has a default.
 */
function requiredDefaults({ variableDefinitions = [] }: OperationDefinitionNode): Variables | undefined {
  const defaults = variableDefinitions.flatMap(({ variable, type, defaultValue }) =>
    type.kind === Kind.NON_NULL_TYPE && defaultValue !== undefined
      ? [[variable.name.value, valueFromASTUntyped(defaultValue)] as const]
      : [],
  );
  return defaults.length === 0 ? undefined : Object.fromEntries(defaults);
}

/** When such a variable is omitted, its field must be absent from the literal; compiled code sets it to null, which deletes the field. */
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
 * Finds variables whose types the compiler handles wrongly: a recursive input type makes it loop forever, and a required field with a
 * default is reported as missing when it is omitted.
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
