import { errorTable } from '@tappaas/sdk';

const callers = { blame: 'caller', retry: 'never', httpStatus: 400 } as const;

/** Errors of requests that GraphQL rejects before anything is read or written; clients find the code in `extensions.code`. */
export const graphqlErrors = errorTable({
  TAP_GRAPHQL_REQUEST_INVALID: {
    ...callers,
    remedy: 'Send one JSON object with query, and variables and operationName where they are needed.',
  },
  TAP_GRAPHQL_DOCUMENT_INVALID: {
    ...callers,
    remedy: 'Correct the document at the place that locations names; docs/reference/schema.graphql has the types.',
  },
  TAP_GRAPHQL_VARIABLES_INVALID: { ...callers, remedy: 'Correct the variable that the message names.' },
  TAP_GRAPHQL_OPERATION_UNKNOWN: { ...callers, remedy: 'Name an operation of the document in operationName.' },
  TAP_GRAPHQL_TOO_DEEP: { ...callers, remedy: 'Select fewer levels, or ask again for what lies deeper by its id.' },
  TAP_GRAPHQL_TOO_COSTLY: {
    ...callers,
    remedy: 'Ask for smaller pages or fewer fields; rateLimit(dryRun: true) returns the cost of a query.',
  },
  TAP_GRAPHQL_TOO_MANY_ALIASES: { ...callers, remedy: 'Send several requests, or ask for a list.' },
  TAP_GRAPHQL_TOO_MANY_SUBSCRIPTIONS: { ...callers, remedy: 'End a subscription, or open another connection.' },
  TAP_GRAPHQL_DOCUMENT_UNKNOWN: { ...callers, remedy: 'Send the hash or the exact text of a document that the operator has allowed.' },
  TAP_GRAPHQL_ARGUMENT_INVALID: { ...callers, remedy: 'Correct the argument that the message names.' },
  TAP_GRAPHQL_CLUSTER_UNKNOWN: {
    blame: 'caller',
    retry: 'back-off',
    httpStatus: 404,
    remedy: 'Load the plugin of the cluster, or read the logs on the cluster itself.',
  },
  TAP_GRAPHQL_DOCUMENTS_UNREADABLE: {
    blame: 'platform',
    retry: 'never',
    httpStatus: 500,
    remedy: 'Write api.graphqlDocuments as a JSON object of SHA-256 hashes and document texts.',
  },
});
