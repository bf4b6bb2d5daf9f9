import { isTapError, type TapError } from '@tappaas/sdk';
import type { Logger } from '@tappaas/sdk';
import { GraphQLError, type GraphQLFormattedError, type SourceLocation } from 'graphql';
import { isBrokenOff } from '../watch/broken-off.js';
import { pluginOf, publicMessageOf } from '../answer/public-message.js';
import { publicError } from '../answer/status.js';
import { graphqlErrors } from './errors.js';
import { withoutValue } from './value-free.js';

/** The request that an error belongs to, and the log for the platform's own faults. */
export interface ErrorPlace {
  readonly requestId: string;
  readonly log: Logger;
  /** Returns a signal that aborts when the client no longer waits; called only after a failure. */
  readonly signal?: () => AbortSignal;
  /** Called with the code of each error in the answer. */
  readonly note?: (code: string) => void;
}

const messageCharactersMax = 1_000;

type Code = keyof typeof graphqlErrors;

/** Apollo Server's error codes and ours. */
const ourCodes: Readonly<Record<string, Code>> = {
  GRAPHQL_PARSE_FAILED: 'TAP_GRAPHQL_DOCUMENT_INVALID',
  GRAPHQL_VALIDATION_FAILED: 'TAP_GRAPHQL_DOCUMENT_INVALID',
  BAD_USER_INPUT: 'TAP_GRAPHQL_VARIABLES_INVALID',
  BAD_REQUEST: 'TAP_GRAPHQL_REQUEST_INVALID',
  OPERATION_RESOLUTION_FAILURE: 'TAP_GRAPHQL_OPERATION_UNKNOWN',
  PERSISTED_QUERY_NOT_FOUND: 'TAP_GRAPHQL_DOCUMENT_UNKNOWN',
  PERSISTED_QUERY_NOT_SUPPORTED: 'TAP_GRAPHQL_DOCUMENT_UNKNOWN',
};

/** Formats an error for clients, with code and remedy; faults of the platform reveal only the request id. */
export function wireError(error: GraphQLError, place: ErrorPlace): GraphQLFormattedError {
  const { code, message, remedy, rest } = described(error, place);
  place.note?.(code);
  return {
    // Messages quote the request, which may be long.
    message: message.length > messageCharactersMax ? `${message.slice(0, messageCharactersMax)}…` : message,
    ...placeOf(error),
    extensions: { code, remedy, requestId: place.requestId, ...rest },
  };
}

interface Described {
  readonly code: string;
  readonly message: string;
  readonly remedy: string;
  readonly rest: object;
}

function described(error: GraphQLError, place: ErrorPlace): Described {
  const cause = innermost(error);
  const signal = place.signal?.();
  if (signal !== undefined && isTapError(signal.reason) && isBrokenOff(signal, cause)) return fromTapError(signal.reason, place);
  if (isTapError(cause)) return fromTapError(cause, place);
  const code = cause === undefined ? ourCodes[String((error.extensions as object | undefined) && error.extensions['code'])] : undefined;
  const known = code ?? (cause === undefined && isOfVariables(error) ? 'TAP_GRAPHQL_VARIABLES_INVALID' : undefined);
  if (known === undefined) return fromTapError(publicError(cause ?? error, place.requestId), place);
  return { code: known, message: withoutValue(error.message), remedy: graphqlErrors[known]({ message: '' }).spec.remedy, rest: {} };
}

function fromTapError(error: TapError, { log, requestId }: ErrorPlace): Described {
  const { code, plugin, field, retryAfterMs, spec, cause } = error;
  const pluginName = pluginOf(error);
  if (spec.httpStatus >= 500) log.error(error.message, { code, requestId, plugin, cause: cause ?? error });
  return {
    code,
    message: publicMessageOf(error),
    remedy: spec.remedy,
    rest: {
      ...(field !== undefined && { field }),
      ...(pluginName !== undefined && { plugin: pluginName }),
      ...(retryAfterMs !== undefined && { retryAfterSeconds: Math.ceil(retryAfterMs / 1000) }),
    },
  };
}

/** Returns the error to audit for an operation over a socket. */
export function tapErrorOf(error: GraphQLError, requestId: string): TapError {
  const cause = innermost(error);
  if (cause === undefined && isOfVariables(error)) {
    return graphqlErrors.TAP_GRAPHQL_VARIABLES_INVALID({ message: withoutValue(error.message) });
  }
  return publicError(cause ?? error, requestId);
}

/** Returns the error below GraphQL's wrappers; undefined when GraphQL itself raised it. */
function innermost(error: GraphQLError): Error | undefined {
  let cause: Error | undefined = error.originalError ?? undefined;
  while (cause instanceof GraphQLError) cause = cause.originalError ?? undefined;
  return cause;
}

/**
 * Whether the error is about the value of a variable. A type mismatch is found before execution and has no path; null for a non-null
 * argument is found at its field.
 */
function isOfVariables({ path, message }: GraphQLError): boolean {
  return path === undefined ? message.startsWith('Variable ') : /^Argument "\w+" of non-null type /.test(message);
}

function placeOf({ path, locations }: GraphQLError): {
  readonly path?: readonly (string | number)[];
  readonly locations?: readonly SourceLocation[];
} {
  return { ...(locations !== undefined && locations.length > 0 && { locations }), ...(path !== undefined && { path }) };
}

/** Converts an error of ours for Apollo Server, with its HTTP status. */
export function asGraphqlError(error: TapError): GraphQLError {
  return new GraphQLError(error.message, {
    originalError: error,
    extensions: { code: error.code, http: { status: error.spec.httpStatus } },
  });
}
