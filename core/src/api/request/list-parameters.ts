import type { ListQuery } from '../../ports/engine.js';
import type { Narrowing } from '../../ports/access.js';
import { choiceParameter, countParameter, invalid, textParameter } from './query-parameters.js';

const version = /^\d{1,20}$/;

type ListParameters = Omit<ListQuery, 'target' | 'signal'>;

/** Returns the `resourceVersion` parameter; empty means absent. @throws TAP_REQUEST_PARAMETER_INVALID */
export function resourceVersionParameter(query: URLSearchParams): string | undefined {
  const value = textParameter(query, 'resourceVersion');
  if (value === undefined || value === '') return undefined;
  if (!version.test(value)) throw invalid('resourceVersion', 'expected what a list, get or watch has answered');
  return value;
}

export function selectorParameters(query: URLSearchParams): Pick<ListQuery, 'labelSelector' | 'fieldSelector'> {
  const labelSelector = textParameter(query, 'labelSelector');
  const fieldSelector = textParameter(query, 'fieldSelector');
  return { ...(labelSelector ? { labelSelector } : {}), ...(fieldSelector ? { fieldSelector } : {}) };
}

/** Combines the selectors of a query with those that narrow the caller's view; an object must match all of them. */
export function narrowedSelectors<Q extends Narrowing>(query: Q, narrowed: Narrowing | undefined): Q {
  if (narrowed === undefined) return query;
  const labelSelector = [query.labelSelector, narrowed.labelSelector].filter(Boolean).join(',');
  const fieldSelector = [query.fieldSelector, narrowed.fieldSelector].filter(Boolean).join(',');
  return { ...query, ...(labelSelector !== '' && { labelSelector }), ...(fieldSelector !== '' && { fieldSelector }) };
}

/** Returns the parameters of a list; the engine decides which combinations are valid. @throws TAP_REQUEST_PARAMETER_INVALID */
export function listParameters(query: URLSearchParams): ListParameters {
  const limit = countParameter(query, 'limit', Number.MAX_SAFE_INTEGER);
  const continueToken = textParameter(query, 'continue') || undefined;
  const resourceVersion = resourceVersionParameter(query);
  const resourceVersionMatch = choiceParameter(query, 'resourceVersionMatch', ['Exact', 'NotOlderThan']);
  return {
    ...selectorParameters(query),
    ...(limit !== undefined && { limit }),
    ...(continueToken !== undefined && { continueToken }),
    ...(resourceVersion !== undefined && { resourceVersion }),
    ...(resourceVersionMatch !== undefined && { resourceVersionMatch }),
  };
}
