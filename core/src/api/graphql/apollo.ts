import { ApolloServer, type ApolloServerPlugin } from '@apollo/server';
import {
  ApolloServerPluginCacheControlDisabled,
  ApolloServerPluginInlineTraceDisabled,
  ApolloServerPluginLandingPageDisabled,
  ApolloServerPluginSchemaReportingDisabled,
  ApolloServerPluginUsageReportingDisabled,
} from '@apollo/server/plugin/disabled';
import { isTapError, type TapError } from '@tappaas/sdk';
import { execute, GraphQLError, OperationTypeNode, type DocumentNode, type GraphQLSchema, type OperationDefinitionNode } from 'graphql';
import type { GraphqlContext } from './context.js';
import { dryRunDocument, mayBeDryRun } from './dry-run.js';
import { PlannedOperation } from './document.js';
import { graphqlErrors } from './errors.js';
import type { GraphqlParts } from './ports.js';
import type { PreparedOperations } from './prepared-operations.js';
import { noSuggestions } from './suggestions.js';
import { asGraphqlError, wireError, type ErrorPlace } from './wire-errors.js';

export const tokensMax = 1_000;
export const validationErrorsMax = 20;

/** Callbacks from Apollo Server into the service. */
export interface ApolloHooks {
  /** Called before an operation is executed. */
  readonly note: (context: GraphqlContext, operation: OperationDefinitionNode, hash: string) => void;
  /** Returns the request whose errors are being formatted. */
  readonly place: () => ErrorPlace;
}

/**
 * Starts Apollo Server for one schema: it decodes, parses, validates and executes documents that are not prepared yet. It holds no open
 * resources, so the server of a replaced schema is garbage collected without being stopped.
 */
export async function startApollo(
  schema: GraphQLSchema,
  { settings, log }: GraphqlParts,
  prepared: PreparedOperations,
  hooks: ApolloHooks,
): Promise<ApolloServer<GraphqlContext>> {
  const server = new ApolloServer<GraphqlContext>({
    schema,
    introspection: settings.introspection,
    parseOptions: { maxTokens: tokensMax },
    validationOptions: { maxErrors: validationErrorsMax },
    persistedQueries: false,
    allowBatchedHttpRequests: false,
    csrfPrevention: true,
    includeStacktraceInErrorResponses: false,
    stopOnTerminationSignals: false,
    nodeEnv: 'production',
    logger: log,
    formatError: (_, error) =>
      wireError(error instanceof GraphQLError ? error : new GraphQLError('', { originalError: error as Error }), hooks.place()),
    plugins: [
      ApolloServerPluginCacheControlDisabled(),
      ApolloServerPluginInlineTraceDisabled(),
      ApolloServerPluginLandingPageDisabled(),
      ApolloServerPluginSchemaReportingDisabled(),
      ApolloServerPluginUsageReportingDisabled(),
      operations(schema, prepared, hooks),
      ...(settings.introspection ? [] : [noSuggestions]),
    ],
  });
  await server.start();
  return server;
}

/** Plans each operation before it is executed, rejects those above the limits, and prepares the document for later requests. */
function operations(schema: GraphQLSchema, prepared: PreparedOperations, hooks: ApolloHooks): ApolloServerPlugin<GraphqlContext> {
  return {
    requestDidStart: async () => ({
      didResolveOperation: async ({ document, operation, request, contextValue, source, queryHash }) => {
        // Apollo Server itself rejects a document whose operation cannot be determined.
        if (operation === undefined) return;
        hooks.note(contextValue, operation, queryHash);
        const plan = planned(schema, document, operation);
        contextValue.cost = refusing(() => plan.check(request.variables));
        if (operation.operation === OperationTypeNode.SUBSCRIPTION) throw asGraphqlError(overSocketOnly());
        if (!mayBeDryRun(operation)) prepared.remember(source, request.operationName, { plan, hash: queryHash });
      },
      responseForOperation: async ({ document, operation, request, contextValue, response }) => {
        const dry = operation && dryRunDocument(document, operation, request.variables);
        if (dry === undefined) return null;
        const result = await execute({
          schema,
          document: dry,
          contextValue,
          variableValues: request.variables ?? null,
          operationName: request.operationName ?? null,
        });
        return { http: response.http, body: { kind: 'single', singleResult: { data: result.data ?? null } } };
      },
    }),
  };
}

function planned(schema: GraphQLSchema, document: DocumentNode, operation: OperationDefinitionNode): PlannedOperation {
  return refusing(() => new PlannedOperation(schema, document, operation));
}

/** Converts errors of `check` so that Apollo Server answers with their status. */
function refusing<T>(check: () => T): T {
  try {
    return check();
  } catch (error) {
    throw isTapError(error) ? asGraphqlError(error) : error;
  }
}

function overSocketOnly(): TapError {
  return graphqlErrors.TAP_GRAPHQL_REQUEST_INVALID({
    message: 'a subscription is answered over a WebSocket with the protocol graphql-transport-ws',
  });
}
