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

/** Maximum number of kept operations; at least the most recently used half is kept. */
export const operationsMax = 1_000;
const documentCharactersMax = 16 * 1024;

type Known = Map<string, PreparedOperation>;

/**
 * The operations of one schema that were asked lately. Those that nobody asked for while half as many as there may be were asked for
 * are forgotten; finding one changes nothing, so that what is asked again and again costs one look.
 */
export class PreparedOperations {
  readonly #schema: GraphQLSchema;
  #recent: Known = new Map();
  #older: Known = new Map();

  constructor(schema: GraphQLSchema) {
    this.#schema = schema;
  }

  get size(): number {
    return this.#recent.size + this.#older.size;
  }

  get(text: string, operationName: string | undefined): PreparedOperation | undefined {
    const key = keyOf(text, operationName);
    const known = this.#recent.get(key);
    if (known !== undefined) return known;
    const older = this.#older.get(key);
    if (older !== undefined) this.#keep(key, older);
    return older;
  }

  remember(text: string, operationName: string | undefined, { plan, hash }: Omit<PreparedOperation, 'compiled'>): void {
    if (text.length > documentCharactersMax || this.get(text, operationName) !== undefined) return;
    this.#keep(keyOf(text, operationName), new Prepared(this.#schema, plan, hash));
  }

  #keep(key: string, operation: PreparedOperation): void {
    this.#older.delete(key);
    this.#recent.set(key, operation);
    if (this.#recent.size < operationsMax / 2) return;
    this.#older = this.#recent;
    this.#recent = new Map();
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
