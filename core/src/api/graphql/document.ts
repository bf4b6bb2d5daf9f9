import { Kind, visit, type DocumentNode, type FragmentDefinitionNode, type GraphQLSchema, type OperationDefinitionNode } from 'graphql';
import type { OperationCost } from './context.js';
import { costMax, costOf, depthMax } from './cost.js';
import { graphqlErrors } from './errors.js';

/** The fragments of a document by name. */
export type Fragments = ReadonlyMap<string, FragmentDefinitionNode>;

export const aliasesMax = 30;

/** One operation of a valid document, with everything about it that does not depend on variables. */
export class PlannedOperation {
  readonly document: DocumentNode;
  readonly operation: OperationDefinitionNode;
  readonly #schema: GraphQLSchema;
  readonly #fragments: Fragments;
  readonly #hasVariables: boolean;
  #constant: OperationCost | undefined;

  constructor(schema: GraphQLSchema, document: DocumentNode, operation: OperationDefinitionNode) {
    this.document = document;
    this.operation = operation;
    this.#schema = schema;
    this.#fragments = fragmentsOf(document);
    this.#hasVariables = (operation.variableDefinitions?.length ?? 0) > 0;
    refuseAliases(document);
  }

  /** Returns the cost with these variables. @throws TAP_GRAPHQL_TOO_DEEP, TAP_GRAPHQL_TOO_COSTLY, TAP_GRAPHQL_ARGUMENT_INVALID */
  check(variables: Readonly<Record<string, unknown>> | undefined): OperationCost {
    if (this.#constant !== undefined) return this.#constant;
    const found = costOf(this.#schema, this.operation, this.#fragments, variables ?? {});
    const { cost, depth, outOfBounds } = found;
    if (depth > depthMax) {
      throw graphqlErrors.TAP_GRAPHQL_TOO_DEEP({ message: `the operation has ${depth} levels, and may have ${depthMax}` });
    }
    if (cost > costMax) {
      const costText = cost > Number.MAX_SAFE_INTEGER ? 'more than can be counted' : `${Math.ceil(cost)} points`;
      throw graphqlErrors.TAP_GRAPHQL_TOO_COSTLY({ message: `the operation costs ${costText}, and may cost ${costMax}` });
    }
    if (outOfBounds !== undefined) throw graphqlErrors.TAP_GRAPHQL_ARGUMENT_INVALID({ message: outOfBounds });
    if (!this.#hasVariables) this.#constant = found;
    return found;
  }
}

export function fragmentsOf({ definitions }: DocumentNode): Fragments {
  return new Map(definitions.flatMap((each) => (each.kind === Kind.FRAGMENT_DEFINITION ? [[each.name.value, each] as const] : [])));
}

/** @throws TAP_GRAPHQL_TOO_MANY_ALIASES */
function refuseAliases(document: DocumentNode): void {
  let aliases = 0;
  visit(document, {
    Field({ alias }) {
      if (alias !== undefined) aliases += 1;
    },
  });
  if (aliases <= aliasesMax) return;
  throw graphqlErrors.TAP_GRAPHQL_TOO_MANY_ALIASES({ message: `the document has ${aliases} aliases, and may have ${aliasesMax}` });
}
