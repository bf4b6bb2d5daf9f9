import type { JsonObject } from './schema/json-value.js';

/** What the API machinery of one kind does beyond its schema: the little that is the same for all objects and differs by kind. */
export interface Strategy {
  /** Which form names have. Default: a DNS subdomain, as most kinds have. */
  readonly names?: 'subdomain' | 'label' | 'service' | 'path-segment';
  /** Whether `metadata.generation` counts changes of the spec. Default: true where there is a spec. */
  readonly hasGeneration?: boolean;
  /** Whether a create may bring a status of its own, as a node that registers itself does. */
  readonly keepsStatusOnCreate?: boolean;
  /** Fields below the object that no update may change, such as `spec.selector`. */
  readonly immutable?: readonly string[];
  /** How long an object of the kind is kept after it was last written. Default: until somebody deletes it. */
  readonly ttlMs?: number;
  /** What every object of the kind has, whoever writes it and leaves it out. */
  onWrite?(object: JsonObject): JsonObject;
  /** What a new object has that its author cannot say. */
  onCreate?(object: JsonObject): JsonObject;
  /** What changes when deletion begins and the object has to stay for a while. */
  onDelete?(object: JsonObject): JsonObject;
  /** Says whether something other than finalizers keeps a deleted object. */
  isHeld?(object: JsonObject): boolean;
  /** How long the object may take to end; 0 removes it at once. Default: 0. */
  graceSeconds?(object: JsonObject, requested: number | undefined): number;
}

/** The strategy of kinds that need none. */
export const plainStrategy: Strategy = Object.freeze({});
