import type { Context } from '../context.js';
import type { Node, Pod, PodSpec } from '../kubernetes.js';
import type { AnyKind, ObjectOf } from '../kinds.js';
import type { Awaitable, Immutable, Strings, Sync } from '../values.js';
import type { KindsIn, OfKinds } from './admission.js';
import { defineHook, type Shape } from './shape.js';

/** A number for each node that filter and score taps read. */
export interface NodeColumn {
  readonly name: string;
  readonly unit: string;
  readonly '~column': true;
}

const column = (name: string, unit: string): NodeColumn => Object.freeze({ name, unit, '~column': true as const });
const unitOf = (resource: string) => (resource === 'cpu' ? 'millicores' : /memory|storage/.test(resource) ? 'bytes' : 'units');

/**
 * The kernel's own columns. `free` includes what the running cycle has reserved. Resources: cpu in millicores, memory and storage in
 * bytes, everything else in units.
 */
export const columns = Object.freeze({
  free: (resource: string) => column(`free:${resource}`, unitOf(resource)),
  allocatable: (resource: string) => column(`allocatable:${resource}`, unitOf(resource)),
  podsFree: column('podsFree', 'pods'),
});

/** A class of pods that a scheduler must treat alike. Decisions are cached by class, so it has neither name nor uid. */
export interface PodClass {
  readonly spec: Immutable<PodSpec>;
  readonly namespace: string;
  readonly labels: Strings;
  readonly tenant?: string;
  readonly priority: number;
  /** The amount of a resource that the pod requests: cpu in millicores, memory in bytes, others in units. */
  requests(resource: string): number;
  /** Names of all resources that the pod requests. */
  readonly resources: readonly string[];
}

/** The nodes to check (all, or the changed ones), by column: entry i of each column is candidate i. `out` has `count` entries, all 0. */
export interface Candidates<O> {
  readonly pod: PodClass;
  readonly count: number;
  readonly out: Int32Array;
  readonly columns: O extends { readonly reads: infer R } ? { readonly [P in keyof R]: Float64Array } : never;
}

/** `out[i]` may depend only on `pod` and entry i: not on a clock, on chance or on other candidates. 20 ms, measured but not interrupted. */
interface Batch extends Shape {
  readonly options: { readonly reads: Readonly<Record<string, NodeColumn>> };
  readonly input: Candidates<this['given']>;
  readonly output: Sync;
  readonly context: undefined;
}

/** A change after which a rejected pod is tried again. */
export type RetryOn = 'node-added' | 'node-changed' | 'pod-deleted' | 'column-changed';

/**
 * Shape of `scheduling.filter`: 0 accepts, n rejects for `reasons[n - 1]`. A rejected pod waits for a change in `retryOn`, 5 min at most.
 */
export interface Filter extends Batch {
  readonly options: Batch['options'] & { readonly reasons: readonly { readonly message: string; readonly retryOn: readonly RetryOn[] }[] };
}

/** Shape of `scheduling.score`. `points`: 0 to 100 as they are; else any integer, mapped linearly to 0 to 100 over the feasible nodes. */
export interface Score extends Batch {
  readonly options: Batch['options'] & { readonly scale: 'points' | 'more-is-better' | 'less-is-better' };
}

/** A pod and, once chosen, its node. */
export type Placement = Readonly<{ pod: Immutable<Pod>; node?: string }>;

/** A verdict on a pod at an extension point: `reject` refuses it; `waitMs` (permit only) calls the tap again after that time. */
export type SchedulingVerdict = Readonly<{ reject: string } | { waitMs: number }>;

/** Shape of preEnqueue, preFilter, permit and preBind: returning undefined lets the pod go on. */
export interface Step extends Shape {
  readonly options: object;
  readonly input: Placement;
  readonly output: Awaitable<SchedulingVerdict | undefined | void>;
  readonly context: Context;
}

/** Shape of `scheduling.reserve`: the returned function undoes the reservation; it runs, in reverse order, when a later step fails. */
export interface Reserve extends Shape {
  readonly options: object;
  readonly input: Placement;
  readonly output: Awaitable<(() => Awaitable<void>) | undefined | void>;
  readonly context: Context;
}

/** An object without a cluster, and the clusters that may take it. */
export type Unplaced<K extends AnyKind> = Readonly<{ object: Immutable<ObjectOf<K>>; clusters: readonly string[] }>;

/** Shape of `scheduling.cluster`: returns the name of the cluster for an object; chosen once and recorded. */
export interface ChooseCluster extends Shape {
  readonly options: OfKinds;
  readonly input: Unplaced<KindsIn<this['given']>>;
  readonly output: Awaitable<string | undefined>;
  readonly context: Context;
}

/** Shape of `scheduling.postFilter`: called when no node was feasible; returns a node and the pods whose eviction makes room on it. */
export interface PostFilter extends Shape {
  readonly options: object;
  readonly input: Readonly<{ pod: Immutable<Pod>; rejected: Strings; nodes: readonly Immutable<Node>[]; pods: readonly Immutable<Pod>[] }>;
  readonly output: Awaitable<Readonly<{ node: string; evict: readonly { namespace: string; name: string; uid: string }[] }> | undefined>;
  readonly context: Context;
}

/** Shape of `scheduling.bind`: the first tap that returns true has bound the pod. */
export interface Bind extends Shape {
  readonly options: object;
  readonly input: Required<Placement>;
  readonly output: Awaitable<true | undefined>;
  readonly context: Context;
}

const leader = { contract: 1, runsOn: 'leader', synchronous: false } as const;
const step = (name: string, deadlineMs: number, description: string) =>
  defineHook<Step>({ ...leader, name: `scheduling.${name}`, kind: 'series', deadlineMs, onFailure: 'fail', description });

/**
 * Hooks of the scheduler, in the order of the kube-scheduler framework.
 *
 * @source https://kubernetes.io/docs/concepts/scheduling-eviction/scheduling-framework/
 */
export const scheduling = Object.freeze({
  cluster: defineHook<ChooseCluster>({
    ...leader,
    name: 'scheduling.cluster',
    kind: 'choose',
    deadlineMs: 1000,
    onFailure: 'fail',
    description: 'Chooses the cluster of an object.',
  }),
  preEnqueue: step('preEnqueue', 100, 'Keeps a pod out of the queue until it may be tried.'),
  preFilter: step('preFilter', 100, 'Refuses a pod before any node is considered.'),
  filter: defineHook<Filter>({
    ...leader,
    name: 'scheduling.filter',
    kind: 'batch',
    synchronous: true,
    deadlineMs: 20,
    onFailure: 'requeue',
    description: 'Decides for each candidate node whether a class of pods may run there, and why not.',
  }),
  postFilter: defineHook<PostFilter>({
    ...leader,
    name: 'scheduling.postFilter',
    kind: 'choose',
    deadlineMs: 1000,
    onFailure: 'fail',
    description: 'Makes room for a pod that fits nowhere.',
  }),
  score: defineHook<Score>({
    ...leader,
    name: 'scheduling.score',
    kind: 'batch',
    synchronous: true,
    deadlineMs: 20,
    onFailure: 'ignore',
    description: 'Rates each feasible node; ties go to the lower node name.',
  }),
  reserve: defineHook<Reserve>({
    ...leader,
    name: 'scheduling.reserve',
    kind: 'series',
    deadlineMs: 100,
    onFailure: 'fail',
    description: 'Reserves what a placement needs; undone in reverse order.',
  }),
  permit: step('permit', 100, 'Lets a placed pod go on, refuses it or makes it wait, up to 15 minutes in all.'),
  preBind: step('preBind', 100, 'Prepares the chosen node.'),
  bind: defineHook<Bind>({
    ...leader,
    name: 'scheduling.bind',
    kind: 'choose',
    deadlineMs: 5000,
    onFailure: 'fail',
    description: 'Binds the pod; the first tap that returns true has bound it.',
  }),
});
