import type { GraphQLSchema } from 'graphql';
import { compileOperation, type CompiledOperation } from './compiled-operation.js';
import type { PlannedOperation } from './document.js';

/** A valid, planned operation; it is compiled when it is requested a second time. */
export interface PreparedOperation {
  readonly plan: PlannedOperation;
  /** SHA-256 of the document. */
  readonly hash: string;
  /** Undefined where the compiler does not support the operation: it is then interpreted. */
  readonly compiled: CompiledOperation | undefined;
}

/** Maximum number of kept operations; at least the most recently used half is kept. */
export const operationsMax = 1_000;
const documentCharactersMax = 16 * 1024;

type Known = Map<string, PreparedOperation>;

/**
 * Caches the operations of one schema in two generations: when the recent one reaches half of operationsMax, it replaces the older one,
 * whose unused entries are dropped. Reading a recent entry changes nothing, so a hit costs one lookup.
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

  /** Compiles on first use: compiling an operation that is requested only once is not worth it. */
  get compiled(): CompiledOperation | undefined {
    this.#compiled ??= { operation: compileOperation(this.#schema, this.plan.document, this.plan.operation) };
    return this.#compiled.operation;
  }
}
