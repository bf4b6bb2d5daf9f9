import { answerHeaders } from './openapi-headers.js';
import { parameterComponents } from './openapi-parameters.js';
import { commonSchemas, referencePrefix, reference, type Schemas } from './openapi-schemas.js';

/** Collects the components that the operations of one document reference; unused components are left out. */
export class SharedComponents {
  /** Whether a kind of the document is served at a deprecated version. */
  readonly hasDeprecated: boolean;
  readonly #schemas: Schemas = {};
  readonly #responses: Record<string, object> = {};

  constructor(hasDeprecated: boolean) {
    this.hasDeprecated = hasDeprecated;
  }

  /** Returns a reference to a response that several operations share; the first use makes it. */
  response(name: string, make: () => object): object {
    this.#responses[name] ??= make();
    return { $ref: `#/components/responses/${name}` };
  }

  /** Adds a schema and all that it references; the default of `from` are the schemas of every API. Returns a reference. */
  schema(name: string, from: Readonly<Record<string, object>> = commonSchemas): object {
    this.#copy([name], from);
    return reference(name);
  }

  /** Adds a schema made for the document, and all that it references. Returns a reference. */
  own(name: string, schema: object, from: Readonly<Record<string, object>>): object {
    this.#schemas[name] = this.placed(schema, from);
    return reference(name);
  }

  /** Adds all that an inline schema references; returns the schema itself. */
  placed(schema: object, from: Readonly<Record<string, object>>): object {
    this.#copy(namesIn(schema, referencePrefix), from);
    return schema;
  }

  /** Returns the components, each section sorted by name, except parameters and headers, which keep their declared order. */
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

/** Returns the names that `$ref`s with a prefix reference. */
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
