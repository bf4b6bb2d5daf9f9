import { setImmediate as turn } from 'node:timers/promises';
import type { ApolloServer } from '@apollo/server';
import { GraphQLSchema } from 'graphql';
import type { ServedKind } from '../../ports/engine.js';
import type { ServedAction, ServedField } from '../contributions.js';
import type { GraphqlContext } from './context.js';
import type { GraphqlParts } from './ports.js';
import { PreparedOperations } from './prepared-operations.js';
import { schemaConfig } from './schema/compose.js';

/** A schema with its Apollo Server and its prepared operations. */
export interface ServedSchema {
  readonly schema: GraphQLSchema;
  readonly prepared: PreparedOperations;
  readonly apollo: ApolloServer<GraphqlContext>;
}

type Start = (schema: GraphQLSchema, prepared: PreparedOperations) => Promise<ApolloServer<GraphqlContext>>;

/** Caches the current schema; composes it again when kinds, actions or fields change, never per request. */
export class SchemaCache {
  readonly #parts: GraphqlParts;
  readonly #start: Start;
  #sources: readonly [readonly ServedKind[], readonly ServedAction[], readonly ServedField[]] | undefined;
  #served: ServedSchema | Promise<ServedSchema> | undefined;

  constructor(parts: GraphqlParts, start: Start) {
    this.#parts = parts;
    this.#start = start;
  }

  current(): ServedSchema | Promise<ServedSchema> {
    const { engine, actions, fields } = this.#parts;
    const [kinds, acts, adds] = [engine().kinds(), actions(), fields()];
    const [knownKinds, knownActs, knownAdds] = this.#sources ?? [];
    if (this.#served !== undefined && isSame(kinds, knownKinds) && isSame(acts, knownActs) && isSame(adds, knownAdds)) return this.#served;
    this.#sources = [kinds, acts, adds];
    const made = this.#compose(kinds, acts, adds);
    this.#served = made;
    void made.then(
      (served) => {
        if (this.#served === made) this.#served = served;
      },
      () => {
        // Callers that wait get the error; the next request tries again.
        if (this.#served === made) this.#served = undefined;
      },
    );
    return made;
  }

  /** Composes the schema in several turns of the event loop, so that other requests are answered meanwhile (docs/decisions/0317). */
  async #compose(kinds: readonly ServedKind[], actions: readonly ServedAction[], fields: readonly ServedField[]): Promise<ServedSchema> {
    const config = schemaConfig({ kinds, actions, fields });
    await turn();
    const schema = new GraphQLSchema(config);
    await turn();
    const prepared = new PreparedOperations(schema);
    return { schema, prepared, apollo: await this.#start(schema, prepared) };
  }
}

function isSame(now: readonly unknown[], known: readonly unknown[] | undefined): boolean {
  return now === known || (now.length === known?.length && now.every((each, index) => each === known[index]));
}
