import type { Context, Logger } from '../context.js';
import type { Condition } from '../controller.js';
import type { KubernetesObject, PodTemplate } from '../kubernetes.js';
import type { AnyKind, ObjectOf } from '../kinds.js';
import type { Awaitable, Immutable } from '../values.js';
import type { KindsIn, OfKinds } from './admission.js';
import { defineHook, type Shape } from './shape.js';

/** The desired cluster objects; every method returns a new set. Secrets are references here and are resolved only while applying. */
export interface RenderSet extends Iterable<Immutable<KubernetesObject>> {
  /** Adds an object. @throws TAP_RENDER_DUPLICATE, naming both plugins. */
  add(object: KubernetesObject): RenderSet;
  remove(object: Immutable<KubernetesObject>): RenderSet;
  change<T extends KubernetesObject>(object: Immutable<T>, edit: (draft: T) => void): RenderSet;
  /** Edits every pod template, whatever object contains it. */
  changePodTemplates(edit: (draft: PodTemplate, owner: Immutable<KubernetesObject>) => void): RenderSet;
}

/** A feature of a cluster. `containers` is absent where pods are local processes. */
export type Capability = 'containers' | 'gpu' | 'gateway-api' | 'snapshots' | 'mesh';

/** The object, what has been rendered for it so far, and the capabilities of its cluster. */
export type Desired<K extends AnyKind> = Readonly<{ object: Immutable<ObjectOf<K>>; set: RenderSet; capabilities: readonly Capability[] }>;

/** The object and the present state of its cluster objects. */
export type Observed<K extends AnyKind> = Readonly<{ object: Immutable<ObjectOf<K>>; observed: readonly Immutable<KubernetesObject>[] }>;

/** The phases of rendering, in the order in which their taps run; `before` and `after` order taps within a phase. */
export const renderPhases = Object.freeze(['runtime', 'storage', 'network', 'mesh', 'policy'] as const);
/** One of {@link renderPhases}. */
export type RenderPhase = (typeof renderPhases)[number];

/** Shape of `reconcile.render`. Pure: the same input gives the same set. */
export interface Render extends Shape {
  readonly options: OfKinds & { readonly phase: RenderPhase };
  readonly input: Desired<KindsIn<this['given']>>;
  readonly output: RenderSet;
  readonly context: { readonly log: Logger };
}

/** Shape of `reconcile.observe`. It returns only the declared condition types; each has one owner (two are an error at load). */
export interface Observe extends Shape {
  readonly options: OfKinds & { readonly conditions: readonly string[] };
  readonly input: Observed<KindsIn<this['given']>>;
  readonly output: Awaitable<readonly Condition[]>;
  readonly context: Context;
}

/** An object that is being deleted. */
export type Terminating<K extends AnyKind> = Readonly<{ object: Immutable<ObjectOf<K>> }>;

/** Shape of `reconcile.finalize`: removes everything that the tap's plugin created for the object. */
export interface Finalize extends Shape {
  readonly options: OfKinds;
  readonly input: Terminating<KindsIn<this['given']>>;
  readonly output: Promise<void>;
  readonly context: Context;
}

const leader = { contract: 1, runsOn: 'leader' } as const;

/** Hooks of controllers that render cluster objects. */
export const reconcile = Object.freeze({
  render: defineHook<Render>({
    ...leader,
    name: 'reconcile.render',
    kind: 'transform',
    synchronous: true,
    deadlineMs: 1000,
    onFailure: 'back-off',
    description: 'Shapes the set of Kubernetes objects, phase by phase. Nothing is pruned when it fails.',
  }),
  observe: defineHook<Observe>({
    ...leader,
    name: 'reconcile.observe',
    kind: 'collect',
    synchronous: false,
    deadlineMs: 10_000,
    onFailure: 'unknown',
    description: 'Derives conditions from the state of the cluster objects; on failure they become Unknown.',
  }),
  finalize: defineHook<Finalize>({
    ...leader,
    name: 'reconcile.finalize',
    kind: 'series',
    synchronous: false,
    deadlineMs: 60_000,
    onFailure: 'retry',
    description: 'Cleans up before an object is removed, in reverse order; the finalizer stays until it succeeds.',
  }),
});
