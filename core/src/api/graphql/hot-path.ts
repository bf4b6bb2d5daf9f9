import type { Awaitable } from '@tappaas/sdk';
import { after } from '../after.js';
import type { CompiledOperation } from './compiled-operation.js';
import type { GraphqlContext } from './context.js';
import type { PreparedOperation, PreparedOperations } from './prepared-operations.js';
import type { SmallDocument } from '../request/small-document.js';
import { wireError, type ErrorPlace } from './wire-errors.js';

/** A request in the plain form, which the hot path can answer. */
export interface PlainRequest {
  readonly query: string;
  readonly operationName: string | undefined;
  readonly variables: SmallDocument | undefined;
}

/** A serialized answer. */
export interface HotAnswer {
  readonly status: number;
  readonly text: string;
}

const plainKeys: ReadonlySet<string> = new Set(['query', 'operationName', 'variables']);

/** Reads a request in the plain form; returns undefined for any other, which is left to Apollo Server. */
export function plainRequest(body: SmallDocument): PlainRequest | undefined {
  for (const key in body) if (!plainKeys.has(key)) return undefined;
  const { query, operationName, variables } = body;
  if (typeof query !== 'string' || (operationName !== undefined && operationName !== null && typeof operationName !== 'string'))
    return undefined;
  if (variables !== undefined && variables !== null && (typeof variables !== 'object' || Array.isArray(variables))) return undefined;
  return { query, operationName: operationName ?? undefined, variables: (variables as PlainRequest['variables'] | null) ?? undefined };
}

/** A prepared operation that is compiled. */
export interface KnownOperation extends PreparedOperation {
  readonly compiled: CompiledOperation;
}

/** Returns the compiled operation of a request, if it was requested before and could be compiled. */
export function findPrepared(prepared: PreparedOperations, { query, operationName }: PlainRequest): KnownOperation | undefined {
  const known = prepared.get(query, operationName);
  return known?.compiled === undefined ? undefined : (known as KnownOperation);
}

/** Executes a compiled operation with the same result as Apollo Server, without its overhead. */
export function answerPrepared(
  { compiled, plan }: KnownOperation,
  { variables }: PlainRequest,
  context: GraphqlContext,
  place: () => ErrorPlace,
): Awaitable<HotAnswer> {
  context.cost = plan.check(variables);
  return after(compiled.query(undefined, context, variables), ({ data, errors }) => {
    if (errors === undefined || errors.length === 0) return { status: 200, text: JSON.stringify({ data }) };
    const where = place();
    const wireErrors = errors.map((error) => wireError(error, where));
    // Without data nothing was executed: the variables do not match their types.
    return { status: data === undefined ? 400 : 200, text: JSON.stringify({ errors: wireErrors, data }) };
  });
}
