import type { Immutable, Node, NodeColumn, Placement, Pod, PodClass, RetryOn, Strings } from '@tappaas/sdk';

/** The input of a batch tap: entry i of every column, and of `out`, belongs to candidate i. */
export interface BatchInput {
  readonly pod: PodClass;
  readonly count: number;
  readonly out: Int32Array;
  readonly columns: Readonly<Record<string, Float64Array>>;
}

/** A filter or score tap wrapped by the kernel's guard: `run` throws when the tap failed or its plugin is not running. */
export interface BatchTap {
  /** Instance id, for records and problems. */
  readonly plugin: string;
  readonly reads: Readonly<Record<string, NodeColumn>>;
  /** Marks a tap that is not pure, for example because it reads a clock: it runs for every pod and is never cached. Default: pure. */
  readonly everyPod?: boolean;
  readonly run: (input: BatchInput) => void;
}

export interface FilterTap extends BatchTap {
  readonly reasons: readonly { readonly message: string; readonly retryOn: readonly RetryOn[] }[];
}

export type ScoreScale = 'points' | 'more-is-better' | 'less-is-better';

export interface ScoreTap extends BatchTap {
  readonly scale: ScoreScale;
  /** Configured by the operator: an integer from 0 to 10,000. */
  readonly weight: number;
}

/** A plugin refuses to let a pod proceed. */
export interface StepRefusal {
  readonly plugin: string;
  readonly message: string;
  /** The refusal may be temporary: ask again after this time. */
  readonly waitMs?: number;
}

/** Runs all taps of a step in order, up to the first that refuses. Throws when one failed. */
export type Step = (placement: Placement) => Promise<StepRefusal | undefined>;

/** The reservations of a placement, in the order in which the taps made them. */
export interface Reserved {
  readonly undos: readonly { readonly plugin: string; readonly undo: () => Promise<void> | void }[];
  /** The error of a failed tap, after which no further taps ran; all reservations must be undone. */
  readonly failure?: unknown;
}

export interface PostFilterInput {
  readonly pod: Immutable<Pod>;
  /** The reason of refusal by node. */
  readonly rejected: Strings;
  readonly nodes: readonly Immutable<Node>[];
  readonly pods: readonly Immutable<Pod>[];
}

export interface Eviction {
  readonly node: string;
  readonly evict: readonly { readonly namespace: string; readonly name: string; readonly uid: string }[];
}

/** `conflict`: bound elsewhere or refused for good reason, which the cluster will report; `gone`: the pod no longer exists. */
export type BindOutcome = 'bound' | 'conflict' | 'gone';

/** A number per node, recomputed when the node changes; taps read it by `name`. */
export interface PluginColumn {
  readonly plugin: string;
  readonly name: string;
  readonly of: (node: Immutable<Node>) => number;
  /** Calls the listener when the plugin requests recomputation for all nodes; returns the function that unsubscribes it. */
  readonly onChanged?: (listener: () => void) => () => void;
}

/** The taps of one hook generation, sorted and guarded by the kernel. A step without taps is absent, which keeps a cycle synchronous. */
export interface SchedulingTaps {
  readonly columns: readonly PluginColumn[];
  readonly filter: readonly FilterTap[];
  readonly score: readonly ScoreTap[];
  readonly preEnqueue?: Step;
  readonly preFilter?: Step;
  /** Returns the result of the first tap that can make room. */
  readonly postFilter?: (input: PostFilterInput) => Promise<{ readonly plugin: string; readonly eviction: Eviction } | undefined>;
  readonly reserve?: (placement: Required<Placement>) => Promise<Reserved>;
  readonly permit?: Step;
  readonly preBind?: Step;
  /** Returns the result of the first tap that binds the pod; undefined leaves it to the scheduler's own binder. */
  readonly bind?: (placement: Required<Placement>) => Promise<BindOutcome | undefined>;
  /** Called after a pod was bound; it cannot change anything. */
  readonly postBind?: (placement: Required<Placement>) => void;
}

/** No plugins: pods go to the first node, by name, on which they fit. */
export const noTaps: SchedulingTaps = Object.freeze({ columns: [], filter: [], score: [] });
