import type { GraphQLSchema } from 'graphql';
import { compileOperation, type CompiledOperation } from './compiled-operation.js';
import type { PlannedOperation } from './document.js';

/** An operation that has been asked before: valid, planned, and compiled when it is asked again. */
export interface PreparedOperation {
  readonly plan: PlannedOperation;
  /** SHA-256 of the document. */
  readonly hash: string;
  /** Nothing where the compiler does not know how: it is then executed as it is. */
  readonly compiled: CompiledOperation | undefined;
}

const operationsMax = 1_000;
const documentCharactersMax = 16 * 1024;

/** The operations of one schema that were asked lately; the one longest not asked goes first. */
export class PreparedOperations {
  readonly #schema: GraphQLSchema;
  readonly #known = new Map<string, PreparedOperation>();

  constructor(schema: GraphQLSchema) {
    this.#schema = schema;
  }

  get(text: string, operationName: string | undefined): PreparedOperation | undefined {
    const key = keyOf(text, operationName);
    const known = this.#known.get(key);
    if (known === undefined) return undefined;
    this.#known.delete(key);
    this.#known.set(key, known);
    return known;
  }

  remember(text: string, operationName: string | undefined, { plan, hash }: Omit<PreparedOperation, 'compiled'>): void {
    if (text.length > documentCharactersMax) return;
    const key = keyOf(text, operationName);
    if (this.#known.has(key)) return;
    this.#known.set(key, new Prepared(this.#schema, plan, hash));
    if (this.#known.size <= operationsMax) return;
    for (const oldest of this.#known.keys()) {
      this.#known.delete(oldest);
      return;
    }
  }
}

const keyOf = (text: string, operationName: string | undefined): string => `${operationName ?? ''}\n${text}`;

class Prepared implements PreparedOperation {
  readonly plan: PlannedOperation;
  readonly hash: string;
  readonly #schema: GraphQLSchema;
  #compiled: { readonly operation: CompiledOperation | undefined } | undefined;

  constructor(schema: GraphQLSchema, plan: PlannedOperation, hash: string) {
    this.plan = plan;
    this.hash = hash;
    this.#schema = schema;
  }

  /** Compiled when first asked for: an operation that is asked once is not worth it. */
  get compiled(): CompiledOperation | undefined {
    this.#compiled ??= { operation: compileOperation(this.#schema, this.plan.document, this.plan.operation) };
    return this.#compiled.operation;
  }
}
