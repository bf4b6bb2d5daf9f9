import type { TapError } from '@tappaas/sdk';
import { getOperationAST, GraphQLError, OperationTypeNode, parse, validate, type DocumentNode, type GraphQLSchema } from 'graphql';
import { tokensMax, validationErrorsMax } from './apollo.js';
import { PlannedOperation } from './document.js';
import { graphqlErrors } from './errors.js';
import { withoutSuggestion } from './suggestions.js';
import { asGraphqlError } from './wire-errors.js';

/** Plans the subscription of a document, or returns what is wrong with the document. */
export function plannedSubscription(
  schema: GraphQLSchema,
  text: string,
  operationName: string | undefined,
  isSchemaPublic: boolean,
): PlannedOperation | readonly GraphQLError[] {
  let document: DocumentNode;
  try {
    document = parse(text, { maxTokens: tokensMax });
  } catch (error) {
    return [invalidDocument(error as GraphQLError, (error as Error).message)];
  }
  const errors = validate(schema, document, undefined, { maxErrors: validationErrorsMax });
  if (errors.length > 0) {
    return errors.map((error) => invalidDocument(error, isSchemaPublic ? error.message : withoutSuggestion(error.message)));
  }
  const operation = getOperationAST(document, operationName);
  if (!operation) {
    throw graphqlErrors.TAP_GRAPHQL_OPERATION_UNKNOWN({
      message: 'the document has no operation of this name, or several and none is named',
    });
  }
  if (operation.operation !== OperationTypeNode.SUBSCRIPTION) {
    throw refused(`a ${operation.operation} is a request of its own to /graphql: over a WebSocket there are subscriptions only`);
  }
  return new PlannedOperation(schema, document, operation);
}

/** Keeps the locations in the document, as for a request. */
function invalidDocument({ nodes, source, positions }: GraphQLError, message: string): GraphQLError {
  const { originalError, extensions } = asGraphqlError(graphqlErrors.TAP_GRAPHQL_DOCUMENT_INVALID({ message }));
  return new GraphQLError(message, { nodes, source, positions, originalError, extensions });
}

/** Makes the error of a message that this endpoint does not accept. */
export function refused(message: string): TapError {
  return graphqlErrors.TAP_GRAPHQL_REQUEST_INVALID({ message });
}
