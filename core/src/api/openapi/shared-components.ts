import { answerHeaders } from './openapi-headers.js';
import { parameterComponents } from './openapi-parameters.js';
import { commonSchemas, referencePrefix, reference, type Schemas } from './openapi-schemas.js';

/** What the operations of one document refer to, gathered while they are described: nothing is in it that nobody uses. */
export class SharedComponents {
  /** Some kind of the document is served at a deprecated version. */
  readonly hasDeprecated: boolean;
  readonly #schemas: Schemas = {};
  readonly #responses: Record<string, object> = {};

  constructor(hasDeprecated: boolean) {
    this.hasDeprecated = hasDeprecated;
  }

  /** A response that several operations have; made when the first of them does. */
  response(name: string, make: () => object): object {
    this.#responses[name] ??= make();
    return { $ref: `#/components/responses/${name}` };
  }

  /** A schema with everything that it refers to; without `from` one that every API has. */
  schema(name: string, from: Readonly<Record<string, object>> = commonSchemas): object {
    this.#copy([name], from);
    return reference(name);
  }

  /** A schema that stands by itself in the document, and what it refers to. */
  own(name: string, schema: object, from: Readonly<Record<string, object>>): object {
    this.#schemas[name] = this.placed(schema, from);
    return reference(name);
  }

  /** What a schema that stands in an operation refers to. */
  placed(schema: object, from: Readonly<Record<string, object>>): object {
    this.#copy(namesIn(schema, referencePrefix), from);
    return schema;
  }

  /** The components, each section in order. */
  all(paths: object): object {
    const used = { paths, responses: this.#responses };
    return {
      schemas: sorted(this.#schemas),
      responses: sorted(this.#responses),
      parameters: chosen(parameterComponents, namesIn(used, '#/components/parameters/')),
      headers: chosen(answerHeaders, namesIn(used, '#/components/headers/')),
    };
  }

  #copy(names: readonly string[], from: Readonly<Record<string, object>>): void {
    const waiting = [...names];
    for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) {
      const schema = from[name] ?? commonSchemas[name];
      if (schema === undefined || this.#schemas[name] === schema) continue;
      this.#schemas[name] = schema;
      waiting.push(...namesIn(schema, referencePrefix));
    }
  }
}

/** The names that `$ref`s below a prefix lead to. */
function namesIn(value: unknown, prefix: string): readonly string[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, part]) =>
    key === '$ref' && typeof part === 'string' ? (part.startsWith(prefix) ? [part.slice(prefix.length)] : []) : namesIn(part, prefix),
  );
}

function sorted(map: Readonly<Record<string, object>>): object {
  return Object.fromEntries(Object.entries(map).sort(([a], [b]) => (a < b ? -1 : 1)));
}

function chosen(all: Readonly<Record<string, object>>, names: readonly string[]): object {
  const used = new Set(names);
  return Object.fromEntries(Object.entries(all).filter(([name]) => used.has(name)));
}
