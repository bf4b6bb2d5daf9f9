import { refusalAnswers } from './openapi-answers.js';
import type { SharedComponents } from './shared-components.js';

/** One method of one path. */
export interface Operation {
  readonly method: string;
  /** Kubernetes' name for the action, by which clients find operations. */
  readonly action: string;
  /** Unique in its document, because client generators turn it into a function name. */
  readonly id: string;
  readonly kind: { readonly group: string; readonly version: string; readonly kind: string };
  readonly summary: string;
  readonly parameters: readonly object[];
  readonly body?: { readonly required: boolean; readonly content: object };
  /** Successful answers by status. */
  readonly answers: Readonly<Record<string, object>>;
  readonly refusals: readonly number[];
}

/** Statuses with which any request may be refused. */
export const refusedReads: readonly number[] = [400, 401, 403, 404, 406, 410, 429, 503];
/** Statuses with which a request that has a body and changes something may be refused. */
export const refusedWrites: readonly number[] = [400, 401, 403, 404, 406, 409, 410, 412, 413, 415, 422, 429, 503];

/** Returns a kind with its article, for summaries; a name that begins with U is read as in User. */
export const withArticle = ({ kind }: Operation['kind']): string => `${/^[AEIO]/.test(kind) ? 'an' : 'a'} ${kind}`;

/** Makes the methods of one path. */
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
