import type { Condition, Immutable, KubernetesObject, Prepared, RenderFacts } from '@tappaas/sdk';
import type { ApplySetOptions, ApplyTarget } from './apply-set.js';
import type { Run } from './controller.js';
import type { InventoryEntry } from './inventory.js';
import type { ReleaseBook, StoredRelease } from './release.js';
import type { AttributedRenderSet } from './render-set.js';

/** Actual or desired objects of a cluster. */
export type Objects = readonly Immutable<KubernetesObject>[];

/** An object of a kind that is rendered. */
export interface RenderedObject {
  readonly metadata: {
    readonly name: string;
    readonly uid: string;
    readonly deletionTimestamp?: string;
    readonly finalizers?: readonly string[];
  };
  readonly spec?: unknown;
  readonly status?: unknown;
}

/** The cluster that the objects of one rendering are applied to. */
export interface Place {
  readonly target: ApplyTarget;
  /** Returns the cached state of an object; undefined when it must be requested. */
  readonly cached?: ApplySetOptions['cached'];
  /** Returns the ReplicaSets and pods that the given objects own. */
  below(objects: Objects): Objects;
}

/** The status and conditions that a run reports for its object. */
export interface Statement {
  readonly status: Readonly<Record<string, unknown>>;
  readonly conditions: readonly Condition[];
  /** Ends the object's current Operation. */
  readonly end?: { readonly phase: 'Succeeded' | 'Failed' | 'Cancelled'; readonly message: string };
}

/** The status and conditions derived from the state of the cluster. */
export interface Summary {
  readonly status: Readonly<Record<string, unknown>>;
  readonly conditions: readonly Condition[];
  /** The release will not become ready: either it stays, or the previously serving one replaces it. */
  readonly failed?: 'stop' | 'rollback';
}

/** The parts of the platform that a rendering controller needs. Writes report their revision to `run`. */
export interface RenderedOptions<O extends RenderedObject> {
  readonly read: (key: string) => O | undefined;
  /** Whether clusters may be changed. A platform with an empty or restored store needs confirmation by an operator first. */
  readonly confirmation: () => { readonly isConfirmed: true } | { readonly isConfirmed: false; readonly message: string };
  /** Resolves the inputs of the render. Absent: there are none. */
  readonly prepare?: (object: O, run: Run) => Promise<Prepared>;
  /** Stops what `prepare` has begun, before a cancelled change falls back. */
  readonly abandon?: (object: O, run: Run) => Promise<void>;
  /** Chooses the cluster, or returns the one chosen before. */
  readonly factsOf: (object: O, inputs: Readonly<Record<string, string>>) => Promise<RenderFacts>;
  readonly render: (object: O, facts: RenderFacts) => readonly KubernetesObject[];
  /** Runs the render taps, phase by phase. */
  readonly renderHooks: (object: O, set: AttributedRenderSet, facts: RenderFacts) => Promise<AttributedRenderSet>;
  /** Returns the instance id of the acting plugin, for the render set. */
  readonly actor: () => string;
  /** Returns a value that changes when an operator requests a new rendering of everything. Default: constant. */
  readonly campaignOf?: (object: O) => string;
  readonly releases: ReleaseBook<O, Run>;
  readonly loadInventory: (object: O) => Promise<readonly InventoryEntry[]>;
  readonly saveInventory: (object: O, entries: readonly InventoryEntry[], run: Run) => Promise<void>;
  readonly placeOf: (object: O, facts: RenderFacts) => Promise<Place>;
  readonly installation: string;
  /** Field manager of all applies. */
  readonly manager: string;
  /** Runs the observe taps; the conditions of a failed one become Unknown. */
  readonly observeHooks: (object: O, observed: Objects) => Promise<readonly Condition[]>;
  readonly summarize: (
    object: O,
    seen: { readonly facts: RenderFacts; readonly release: StoredRelease; readonly observed: Objects },
  ) => Summary;
  readonly setStatus: (object: O, statement: Statement, run: Run) => Promise<void>;
  /** Whether a user cancelled the Operation of the current generation; then what served before stays. Default: never. */
  readonly isCancelled?: (object: O) => Promise<boolean>;
  /** Name of the finalizer that keeps the object until its cluster is cleaned up. */
  readonly finalizer: string;
  readonly addFinalizer: (object: O, run: Run) => Promise<void>;
  readonly removeFinalizer: (object: O, run: Run) => Promise<void>;
  /** Runs the finalize taps once the cluster is cleaned up. */
  readonly finalizeHooks: (object: O, run: Run) => Promise<void>;
  /** Reports the progress of the object's current Operation. */
  readonly step?: (object: O, step: RenderedStep, percent: number) => void;
}

/** The steps from a changed spec to a serving release, in order; `remove` is separate. */
export const renderedSteps = ['prepare', 'render', 'apply', 'rollout'] as const;
export type RenderedStep = (typeof renderedSteps)[number] | 'release-tasks' | 'remove';
