import type { Immutable, Node, NodeColumn, Placement, Pod, PodClass, RetryOn, Strings } from '@tappaas/sdk';

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

/** A plugin does not let a pod go on. */
export interface StepRefusal {
  readonly plugin: string;
  readonly message: string;
  /** It may later: ask again after this time. */
  readonly waitMs?: number;
}

/** All taps of a step in order, up to the first that refuses. Throws when one failed. */
export type Step = (placement: Placement) => Promise<StepRefusal | undefined>;

/** What the reserve taps hold for a placement, in the order in which they took it. */
export interface Reserved {
  readonly undos: readonly { readonly plugin: string; readonly undo: () => Promise<void> | void }[];
  /** A tap failed, and none after it was asked: what the others hold must be undone. */
  readonly failure?: unknown;
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

/** `conflict`: bound elsewhere or refused for good reason, the cluster will say; `gone`: the pod no longer exists. */
export type BindOutcome = 'bound' | 'conflict' | 'gone';

/** A number per node, computed when the node changes. `name` is what taps read it by. */
export interface PluginColumn {
  readonly plugin: string;
  readonly name: string;
  readonly of: (node: Immutable<Node>) => number;
  /** Hears that the plugin wants it computed anew for all nodes; answers how to stop listening. */
  readonly onChanged?: (listener: () => void) => () => void;
}

/** One hook generation, sorted and guarded by the kernel. A step is absent when no tap is at its hook: that keeps a cycle synchronous. */
export interface SchedulingTaps {
  readonly columns: readonly PluginColumn[];
  readonly filter: readonly FilterTap[];
  readonly score: readonly ScoreTap[];
  readonly preEnqueue?: Step;
  readonly preFilter?: Step;
  /** The first tap that knows how to make room. */
  readonly postFilter?: (input: PostFilterInput) => Promise<{ readonly plugin: string; readonly eviction: Eviction } | undefined>;
  readonly reserve?: (placement: Required<Placement>) => Promise<Reserved>;
  readonly permit?: Step;
  readonly preBind?: Step;
  /** The first tap that has bound the pod; nothing leaves it to the scheduler's own binder. */
  readonly bind?: (placement: Required<Placement>) => Promise<BindOutcome | undefined>;
  /** Told after a pod was bound; it cannot change anything. */
  readonly postBind?: (placement: Required<Placement>) => void;
}

/** No plugin at all: pods go to the first node, by name, on which they fit. */
export const noTaps: SchedulingTaps = Object.freeze({ columns: [], filter: [], score: [] });
