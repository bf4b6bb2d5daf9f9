import { refusalAnswers } from './openapi-answers.js';
import type { SharedComponents } from './shared-components.js';

/** One method of one path. */
export interface Operation {
  readonly method: string;
  /** Kubernetes' name of it: clients find operations by it. */
  readonly action: string;
  /** Unique in its document: client generators make names of functions of it. */
  readonly id: string;
  readonly kind: { readonly group: string; readonly version: string; readonly kind: string };
  readonly summary: string;
  readonly parameters: readonly object[];
  readonly body?: { readonly required: boolean; readonly content: object };
  /** By status, what is answered when it succeeds. */
  readonly answers: Readonly<Record<string, object>>;
  readonly refusals: readonly number[];
}

/** What may be wrong with any request. */
export const refusedReads: readonly number[] = [400, 401, 403, 404, 406, 410, 429, 503];
/** And with one that has a body and changes something. */
export const refusedWrites: readonly number[] = [400, 401, 403, 404, 406, 409, 410, 412, 413, 415, 422, 429, 503];

/** The methods of one path. */
export function pathItem(operations: readonly Operation[], parameters: readonly object[], shared: SharedComponents): object {
  return { ...Object.fromEntries(operations.map((operation) => [operation.method, describe(operation, shared)])), parameters };
}

function describe({ action, id, kind, summary, parameters, body, answers, refusals }: Operation, shared: SharedComponents): object {
  const { group, version } = kind;
  return {
    description: summary,
    operationId: id,
    parameters,
    ...(body !== undefined && { requestBody: body }),
    responses: { ...answers, ...refusalAnswers(shared, refusals) },
    'x-kubernetes-action': action,
    'x-kubernetes-group-version-kind': { group, version, kind: kind.kind },
  };
}
