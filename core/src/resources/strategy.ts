import type { JsonObject } from './schema/json-value.js';

/** API behavior of one kind beyond its schema: what is the same for all of its objects but differs between kinds. */
export interface Strategy {
  /** The form of names. Default: a DNS subdomain, as for most kinds. */
  readonly names?: 'subdomain' | 'label' | 'service' | 'path-segment';
  /** Whether `metadata.generation` counts changes of the spec. Default: true if there is a spec. */
  readonly hasGeneration?: boolean;
  /** Whether a create may set a status, as a node that registers itself does. */
  readonly keepsStatusOnCreate?: boolean;
  /** Fields below the object that updates cannot change, such as `spec.selector`. */
  readonly immutable?: readonly string[];
  /** How long an object is kept after its last write. Default: until it is deleted. */
  readonly ttlMs?: number;
  /** Fills in what every object of the kind must have, on every write. */
  onWrite?(object: JsonObject): JsonObject;
  /** Sets fields of a new object that its author cannot set. */
  onCreate?(object: JsonObject): JsonObject;
  /** Changes the object when its deletion begins and it is not removed immediately. */
  onDelete?(object: JsonObject): JsonObject;
  /** Whether something other than finalizers keeps a deleted object. */
  isHeld?(object: JsonObject): boolean;
  /** Grace period of the object; 0 removes it immediately. Default: 0. */
  graceSeconds?(object: JsonObject, requested: number | undefined): number;
}

/** The strategy of kinds without special behavior. */
export const plainStrategy: Strategy = Object.freeze({});
