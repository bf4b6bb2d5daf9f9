/** Media type of answers to clients that accept any type. */
export const jsonType = 'application/json; charset=utf-8';

const typesMax = 64;
const acceptCharactersMax = 512;
/** Media types of a single JSON result. Multipart answers are deliberately absent. */
const single: ReadonlySet<unknown> = new Set([jsonType, 'application/graphql-response+json; charset=utf-8']);

/** Caches the media type that Apollo Server chose for each `Accept` header; the choice depends on nothing else. */
export class AnswerTypes {
  readonly #known = new Map<string | undefined, string>([undefined, '*/*', 'application/json'].map((accept) => [accept, jsonType]));

  get(accept: string | undefined): string | undefined {
    return this.#known.get(accept);
  }

  /** Remembers the media type for an `Accept` header, for the first typesMax headers: clients repeat the same few. */
  learn(accept: string | undefined, type: unknown): void {
    if (accept === undefined || accept.length > acceptCharactersMax || !single.has(type)) return;
    if (this.#known.size < typesMax) this.#known.set(accept, type as string);
  }
}
