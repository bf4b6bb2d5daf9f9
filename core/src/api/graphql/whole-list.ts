import { setImmediate as turn } from 'node:timers/promises';
import type { EnginePort, ListQuery } from '../../ports/engine.js';
import { graphqlErrors } from './errors.js';
import type { ObjectBody } from './object-reader.js';

/** Maximum objects per page, and in all. */
export interface ListBounds {
  readonly pageMax: number;
  readonly max: number;
}

/**
 * Yields all objects of a list page by page, yielding to the event loop between pages.
 *
 * @throws TAP_GRAPHQL_TOO_COSTLY when there are more than `max`, because a partial list would look complete
 */
export async function* wholeList(
  engine: EnginePort,
  query: ListQuery,
  { pageMax, max }: ListBounds,
): AsyncGenerator<readonly ObjectBody[], void, void> {
  let continueToken: string | undefined;
  for (let read = 0; read < max; read += pageMax) {
    const page = await engine.list({ ...query, limit: pageMax, ...(continueToken !== undefined && { continueToken }) });
    yield page.items.map(({ object }) => object as ObjectBody);
    if (page.continueToken === undefined) return;
    continueToken = page.continueToken;
    await turn();
    query.signal.throwIfAborted();
  }
  const message = `more than ${max} ${query.target.kind.plural} belong to the objects that are asked for`;
  throw graphqlErrors.TAP_GRAPHQL_TOO_COSTLY({ message });
}
