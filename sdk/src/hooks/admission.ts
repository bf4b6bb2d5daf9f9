import type { Caller, Context } from '../context.js';
import type { AnyKind, ObjectOf } from '../kinds.js';
import type { Awaitable, Immutable } from '../values.js';
import { defineHook, type Shape } from './shape.js';

/** Which kinds a tap is about, and on which engine (default: the platform's). */
export interface OfKinds {
  readonly kinds: readonly AnyKind[];
  readonly engine?: string;
}

/** The kinds that a tap's options name. */
export type KindsIn<O> = O extends { readonly kinds: readonly (infer K extends AnyKind)[] } ? K : never;

/**
 * What is being done to the object. `update` changes the spec; `metadata` changes labels or annotations and nothing else, also of an
 * object under deletion; of what a mutating tap answers then, labels and annotations are taken.
 */
export type AdmissionOperation = 'create' | 'update' | 'delete' | 'scale' | 'metadata';

/**
 * What a tap does besides answering. `none-on-dry-run`: it reads `dryRun` and then does nothing else. `some`: it cannot tell a dry run
 * apart, so a dry run it would be asked about is refused (400, `TAP_ADMISSION_DRY_RUN_REFUSED`) before it is asked.
 *
 * @source Kubernetes API, `ValidatingWebhook.sideEffects`
 */
export type SideEffects = 'none' | 'none-on-dry-run' | 'some';

/**
 * Default: creates, and updates that change the spec, also of an object under deletion. Other operations only when named. Never asked: writes
 * of the status, and writes that change only finalizers or owner references. So a tap that denies or fails holds up no deletion; what a
 * mutating tap makes of the finalizers of an object under deletion is ignored.
 */
export interface AdmissionOptions extends OfKinds {
  readonly operations?: readonly AdmissionOperation[];
  /** Default: `none`. */
  readonly sideEffects?: SideEffects;
}

/** What an admission tap is asked. */
export interface AdmissionRequest<K extends AnyKind> {
  readonly operation: AdmissionOperation;
  readonly caller: Caller;
  /**
   * Only what is granted to the caller in the object's own namespace counts there, not what is granted everywhere, as in `AccessRequest`:
   * a tap that asks what the caller may hand on has to leave the rest out. Of an object without a namespace: what is granted everywhere
   * does not hold in every tenant, so the caller has none of it to hand on to all.
   */
  readonly isProjectOnly?: true;
  readonly dryRun: boolean;
  /** On delete: what is stored. */
  readonly object: Immutable<ObjectOf<K>>;
  /** Absent on create. */
  readonly previous?: Immutable<ObjectOf<K>>;
}

/** One reason why an object is refused. */
export type Denial = Readonly<{ field: string; reason: string; message: string }>;

/**
 * Makes a denial for a validate tap or a claim.
 *
 * @example
 * ```ts
 * return deny({ field: 'spec.processes', reason: 'OverBudget', message: 'costs more than 200 euro a month' });
 * ```
 */
export function deny(denial: Denial): Denial {
  return Object.freeze({ ...denial });
}

/** What the amounts of a counter are, and so how they are told: `1500` as 1500, 1500m or 1500 bytes. */
export type ClaimUnit = 'count' | 'cpuMillis' | 'memoryBytes';

/** Held in the write's own transaction, released on change and delete: one holder of `unique`; a counter's sum stays ≤ `max`. */
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

/** Hooks on the way of a write into the store. */
export const admission = Object.freeze({
  /** A frozen object in, a new object or nothing out, in order, on dry runs too; applying a tap twice must change nothing more. */
  mutate: defineHook<Mutate>({
    ...everyReplica,
    name: 'admission.mutate',
    kind: 'transform',
    synchronous: false,
    deadlineMs: 1000,
    description: 'Changes an object before it is validated and stored; changes are attributed field by field.',
  }),
  /** Asked in parallel; every denial is told, not only the first. */
  validate: defineHook<Validate>({
    ...everyReplica,
    name: 'admission.validate',
    kind: 'gate',
    synchronous: false,
    deadlineMs: 1000,
    description: 'Allows or denies a write, with every reason collected.',
  }),
  /** A pure function of the object, so that claims can be rebuilt. */
  claim: defineHook<Claims>({
    ...everyReplica,
    name: 'admission.claim',
    kind: 'collect',
    synchronous: true,
    deadlineMs: 20,
    description: 'Derives unique names and quota reservations that are held in the write’s own transaction.',
  }),
});
