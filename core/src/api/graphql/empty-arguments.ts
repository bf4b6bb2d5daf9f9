import { graphqlErrors } from './errors.js';

type Field = 'namespace' | 'name';

/**
 * Rejects empty variables: the engine would take them as any, and answer with objects that were not asked for.
 *
 * @throws TAP_GRAPHQL_ARGUMENT_INVALID
 */
export function refuseEmpty(query: { readonly [field in Field]?: string | null | undefined }, expected: (field: Field) => string): void {
  const field = (['namespace', 'name'] as const).find((each) => query[each] === '');
  if (field === undefined) return;
  throw graphqlErrors.TAP_GRAPHQL_ARGUMENT_INVALID({ field, message: `${field}: expected ${expected(field)}` });
}
