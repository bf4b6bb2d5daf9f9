/** What is answered to who accepts anything. */
export const jsonType = 'application/json; charset=utf-8';

const typesMax = 64;
const acceptCharactersMax = 512;
/** The ways to write one result; others, such as several parts, are not written here. */
const single: ReadonlySet<unknown> = new Set([jsonType, 'application/graphql-response+json; charset=utf-8']);

/** The media type of an answer by what a client accepts: what Apollo Server has chosen before, since the choice depends on nothing else. */
export class AnswerTypes {
  readonly #known = new Map<string | undefined, string>([undefined, '*/*', 'application/json'].map((accept) => [accept, jsonType]));

  get(accept: string | undefined): string | undefined {
    return this.#known.get(accept);
  }

  /** Remembers a choice, as long as there are few: the same clients send the same header again and again. */
  learn(accept: string | undefined, type: unknown): void {
    if (accept === undefined || accept.length > acceptCharactersMax || !single.has(type)) return;
    if (this.#known.size < typesMax) this.#known.set(accept, type as string);
  }
}
