import type { Immutable, Node, NodeColumn, Placement, Pod, PodClass, RetryOn, SchedulingVerdict, Strings } from '@tappaas/sdk';

/** The call of a batch tap: entry i of every column, and of `out`, is candidate i. */
export interface BatchInput {
  readonly pod: PodClass;
  readonly count: number;
  readonly out: Int32Array;
  readonly columns: Readonly<Record<string, Float64Array>>;
}

/** A filter or score tap inside the kernel's guard: `run` throws when the tap failed or its plugin is not running. */
export interface BatchTap {
  /** Instance id, for records and problems. */
  readonly plugin: string;
  readonly reads: Readonly<Record<string, NodeColumn>>;
  /** Not pure (it reads a clock, for example): asked for every pod anew, never cached. Default: pure. */
  readonly everyPod?: boolean;
  readonly run: (input: BatchInput) => void;
}

export interface FilterTap extends BatchTap {
  readonly reasons: readonly { readonly message: string; readonly retryOn: readonly RetryOn[] }[];
}

export type ScoreScale = 'points' | 'more-is-better' | 'less-is-better';

export interface ScoreTap extends BatchTap {
  readonly scale: ScoreScale;
  /** The operator's: a whole number from 0 to 10,000. */
  readonly weight: number;
}

/** A step of the framework; nothing lets the pod go on, a throw fails the cycle. */
export interface StepTap {
  readonly plugin: string;
  readonly run: (placement: Placement) => Promise<SchedulingVerdict | undefined | void>;
}

/** Answers the undo, which runs in reverse order when a later step fails. */
export interface ReserveTap {
  readonly plugin: string;
  readonly run: (placement: Placement) => Promise<(() => Promise<void> | void) | undefined | void>;
}

export interface PostFilterInput {
  readonly pod: Immutable<Pod>;
  /** Why each node was refused, by node. */
  readonly rejected: Strings;
  readonly nodes: readonly Immutable<Node>[];
  readonly pods: readonly Immutable<Pod>[];
}

export interface Eviction {
  readonly node: string;
  readonly evict: readonly { readonly namespace: string; readonly name: string; readonly uid: string }[];
}

export interface PostFilterTap {
  readonly plugin: string;
  readonly run: (input: PostFilterInput) => Promise<Eviction | undefined>;
}

/** The first binder that answers has bound the pod. */
export interface BindTap {
  readonly plugin: string;
  readonly run: (placement: Required<Placement>) => Promise<BindOutcome | undefined>;
}

/** Told after a pod was bound; it cannot change anything. */
export interface PostBindTap {
  readonly plugin: string;
  readonly run: (placement: Required<Placement>) => void;
}

/** `conflict`: bound elsewhere or refused for good reason, the cluster will say; `gone`: the pod no longer exists. */
export type BindOutcome = 'bound' | 'conflict' | 'gone';

/** A number per node, computed when the node changes. `name` is what taps read it by. */
export interface PluginColumn {
  readonly plugin: string;
  readonly name: string;
  readonly of: (node: Immutable<Node>) => number;
}

/** One hook generation: every list is sorted and every function guarded by the kernel. */
export interface SchedulingTaps {
  readonly columns: readonly PluginColumn[];
  readonly preEnqueue: readonly StepTap[];
  readonly preFilter: readonly StepTap[];
  readonly filter: readonly FilterTap[];
  readonly postFilter: readonly PostFilterTap[];
  readonly score: readonly ScoreTap[];
  readonly reserve: readonly ReserveTap[];
  readonly permit: readonly StepTap[];
  readonly preBind: readonly StepTap[];
  readonly bind: readonly BindTap[];
  readonly postBind: readonly PostBindTap[];
}

/** No plugin at all: pods go to the first node, by name, on which they fit. */
export const noTaps: SchedulingTaps = Object.freeze({
  columns: [],
  preEnqueue: [],
  preFilter: [],
  filter: [],
  postFilter: [],
  score: [],
  reserve: [],
  permit: [],
  preBind: [],
  bind: [],
  postBind: [],
});
