import type { Caller, Context } from '../context.js';
import type { AnyKind, ObjectOf } from '../kinds.js';
import type { Awaitable, Immutable } from '../values.js';
import { defineHook, type Shape } from './shape.js';

/** The kinds that a tap is registered for, and their engine (default: the platform's). */
export interface OfKinds {
  readonly kinds: readonly AnyKind[];
  readonly engine?: string;
}

/** The kinds in a tap's options. */
export type KindsIn<O> = O extends { readonly kinds: readonly (infer K extends AnyKind)[] } ? K : never;

/**
 * The operation on the object. `update` changes the spec. `metadata` changes only labels or annotations, also of an object under deletion;
 * only the labels and annotations in a mutating tap's result are used then.
 */
export type AdmissionOperation = 'create' | 'update' | 'delete' | 'scale' | 'metadata';

/**
 * The side effects of a tap. `none-on-dry-run`: it reads `dryRun` and has no side effects then. `some`: it does not distinguish dry runs,
 * so a dry run that would reach it is refused (400, `TAP_ADMISSION_DRY_RUN_REFUSED`) before it is called.
 *
 * @source Kubernetes API, `ValidatingWebhook.sideEffects`
 */
export type SideEffects = 'none' | 'none-on-dry-run' | 'some';

/**
 * The options of an admission tap. By default it is called for creates, and for updates that change the spec, also of an object under
 * deletion; for other operations only when listed. It is never called for writes of the status, or for writes that change only finalizers
 * or owner references. So a tap that denies or fails cannot block a deletion; changes of a mutating tap to the finalizers of an object
 * under deletion are ignored.
 */
export interface AdmissionOptions extends OfKinds {
  readonly operations?: readonly AdmissionOperation[];
  /** Default: `none`. */
  readonly sideEffects?: SideEffects;
}

/** The input of an admission tap. */
export interface AdmissionRequest<K extends AnyKind> {
  readonly operation: AdmissionOperation;
  readonly caller: Caller;
  /**
   * Only grants in the object's own namespace count for the caller, cluster-wide grants do not, as in `AccessRequest`: a tap that checks
   * which rights the caller may pass on must ignore the others. For an object without a namespace: the caller's cluster-wide grants do not
   * apply inside tenants, so the caller cannot pass any of them on to everyone.
   */
  readonly isProjectOnly?: true;
  readonly dryRun: boolean;
  /** The object as it would be written; on delete: as it is stored. */
  readonly object: Immutable<ObjectOf<K>>;
  /** The stored object before the change; absent on create. */
  readonly previous?: Immutable<ObjectOf<K>>;
}

/** One reason for refusing an object. */
export type Denial = Readonly<{ field: string; reason: string; message: string }>;

/**
 * Creates a denial for a validate tap or a claim.
 *
 * @example
 * ```ts
 * return deny({ field: 'spec.processes', reason: 'OverBudget', message: 'costs more than 200 euro a month' });
 * ```
 */
export function deny(denial: Denial): Denial {
  return Object.freeze({ ...denial });
}

/** The unit of a counter's amounts, which decides how they are displayed: `1500` as 1500, 1500m or 1500 bytes. */
export type ClaimUnit = 'count' | 'cpuMillis' | 'memoryBytes';

/**
 * A reservation, taken in the same transaction as the write and released on change and delete: `unique` has one holder; the sum of a
 * `counter` stays ≤ `max`.
 */
export type Claim =
  | { readonly unique: string; readonly denial: Denial }
  | {
      readonly counter: string;
      readonly amount: number;
      readonly max: number;
      /** Default: `count`. */
      readonly unit?: ClaimUnit;
      readonly denial: Denial;
    };

interface Admission extends Shape {
  readonly options: AdmissionOptions;
  readonly input: AdmissionRequest<KindsIn<this['given']>>;
  readonly context: Context;
}

/** Shape of `admission.mutate`. */
export interface Mutate extends Admission {
  readonly output: Awaitable<Immutable<ObjectOf<KindsIn<this['given']>>> | undefined | void>;
}

/** Shape of `admission.validate`. */
export interface Validate extends Admission {
  readonly output: Awaitable<Denial | readonly Denial[] | undefined | void>;
}

/** Shape of `admission.claim`. */
export interface Claims extends Shape {
  readonly options: OfKinds;
  readonly input: Immutable<ObjectOf<KindsIn<this['given']>>>;
  readonly output: readonly Claim[];
  readonly context: undefined;
}

const everyReplica = { contract: 1, runsOn: 'every-replica', onFailure: 'deny' } as const;

/** Hooks that run on a write before it reaches the store. */
export const admission = Object.freeze({
  /** Takes a frozen object, returns a new one or undefined; in order, on dry runs too. Applying a tap twice must change nothing more. */
  mutate: defineHook<Mutate>({
    ...everyReplica,
    name: 'admission.mutate',
    kind: 'transform',
    synchronous: false,
    deadlineMs: 1000,
    description: 'Changes an object before it is validated and stored; changes are attributed field by field.',
  }),
  /** Taps run in parallel; every denial is reported, not only the first. */
  validate: defineHook<Validate>({
    ...everyReplica,
    name: 'admission.validate',
    kind: 'gate',
    synchronous: false,
    deadlineMs: 1000,
    description: 'Allows or denies a write, with every reason collected.',
  }),
  /** Must be a pure function of the object, so that claims can be rebuilt. */
  claim: defineHook<Claims>({
    ...everyReplica,
    name: 'admission.claim',
    kind: 'collect',
    synchronous: true,
    deadlineMs: 20,
    description: 'Derives unique names and quota reservations that are held in the write’s own transaction.',
  }),
});
