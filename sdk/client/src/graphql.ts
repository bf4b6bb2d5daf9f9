import { ApiError, GraphQlError, type GraphQlProblem } from './errors.js';
import type { Http } from './http.js';

/** A GraphQL document and its variables. */
export interface GraphQlRequest {
  readonly query: string;
  readonly variables?: Readonly<Record<string, unknown>>;
  readonly operationName?: string;
}

interface GraphQlAnswer<T> {
  readonly data?: T | null;
  readonly errors?: readonly GraphQlProblem[];
}

const path = '/graphql';
const accept = 'application/graphql-response+json, application/json';

/**
 * Executes a document. Queries are retried when the connection breaks; a document that may contain a mutation is not.
 *
 * @throws GraphQlError, ApiError, UnreachableError
 */
export async function requestGraphQl<T>(http: Http, request: GraphQlRequest, signal: AbortSignal | undefined): Promise<T> {
  // Without this word there is no mutation; with it, the document is not parsed to find out.
  const isRepeatable = !/\bmutation\b/.test(request.query);
  const answer = await http.send(path, { method: 'POST', body: JSON.stringify(request), accept, isRepeatable, ...(signal && { signal }) });
  const { data, errors } = answerOf<T>(answer.text);
  if (errors !== undefined && errors.length > 0) throw new GraphQlError(errors, data);
  if (answer.status >= 300) throw ApiError.of(answer);
  if (data === undefined || data === null) throw new GraphQlError([], data);
  return data;
}

function answerOf<T>(text: string): GraphQlAnswer<T> {
  try {
    return JSON.parse(text) as GraphQlAnswer<T>;
  } catch {
    return {};
  }
}
