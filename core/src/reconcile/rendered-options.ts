import type { Condition, Immutable, KubernetesObject, Prepared, RenderFacts } from '@tappaas/sdk';
import type { ApplySetOptions, ApplyTarget } from './apply-set.js';
import type { Run } from './controller.js';
import type { InventoryEntry } from './inventory.js';
import type { ReleaseBook, StoredRelease } from './release.js';
import type { AttributedRenderSet } from './render-set.js';

/** What a cluster shows, or shall show. */
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

/** Where the objects of one rendering live. */
export interface Place {
  readonly target: ApplyTarget;
  /** What a cache knows of an object; nothing when it has to be asked. */
  readonly cached?: ApplySetOptions['cached'];
  /** The ReplicaSets and pods that the given objects own. */
  below(objects: Objects): Objects;
}

/** What a run says about its object. */
export interface Statement {
  readonly status: Readonly<Record<string, unknown>>;
  readonly conditions: readonly Condition[];
  /** Ends the object's current Operation. */
  readonly end?: { readonly phase: 'Succeeded' | 'Failed' | 'Cancelled'; readonly message: string };
}

/** What a summary makes of what the cluster shows. */
export interface Summary {
  readonly status: Readonly<Record<string, unknown>>;
  readonly conditions: readonly Condition[];
  /** The release will not come to serve: it stays as it is, or what served before takes its place. */
  readonly failed?: 'stop' | 'rollback';
}

/** Everything that a rendering controller needs from the rest of the platform. Writes tell `run` their revision. */
export interface RenderedOptions<O extends RenderedObject> {
  readonly read: (key: string) => O | undefined;
  /** A platform on an empty or restored store may not touch clusters until a person has confirmed. */
  readonly confirmation: () => { readonly isConfirmed: true } | { readonly isConfirmed: false; readonly message: string };
  /** Settles the inputs of the render. Absent: there are none. */
  readonly prepare?: (object: O, run: Run) => Promise<Prepared>;
  /** Stops what `prepare` has begun, before a cancelled change falls back. */
  readonly abandon?: (object: O, run: Run) => Promise<void>;
  /** Chooses or recalls the cluster. */
  readonly factsOf: (object: O, inputs: Readonly<Record<string, string>>) => Promise<RenderFacts>;
  readonly render: (object: O, facts: RenderFacts) => readonly KubernetesObject[];
  /** Runs the render taps, phase by phase. */
  readonly renderHooks: (object: O, set: AttributedRenderSet, facts: RenderFacts) => Promise<AttributedRenderSet>;
  /** Instance id of the plugin that acts now, for the render set. */
  readonly actor: () => string;
  /** Changes when an operator wants everything rendered anew. Default: never. */
  readonly campaignOf?: (object: O) => string;
  readonly releases: ReleaseBook<O, Run>;
  readonly loadInventory: (object: O) => Promise<readonly InventoryEntry[]>;
  readonly saveInventory: (object: O, entries: readonly InventoryEntry[], run: Run) => Promise<void>;
  readonly placeOf: (object: O, facts: RenderFacts) => Promise<Place>;
  readonly installation: string;
  /** Field manager of all applies. */
  readonly manager: string;
  /** Runs the observe taps; a failed one gives its conditions as Unknown. */
  readonly observeHooks: (object: O, observed: Objects) => Promise<readonly Condition[]>;
  readonly summarize: (
    object: O,
    seen: { readonly facts: RenderFacts; readonly release: StoredRelease; readonly observed: Objects },
  ) => Summary;
  readonly setStatus: (object: O, statement: Statement, run: Run) => Promise<void>;
  /** Whether a person stopped the Operation of the object's present generation: then what served before goes on serving. Default: nobody. */
  readonly isCancelled?: (object: O) => Promise<boolean>;
  /** Name of the finalizer that keeps the object until its cluster is clean. */
  readonly finalizer: string;
  readonly addFinalizer: (object: O, run: Run) => Promise<void>;
  readonly removeFinalizer: (object: O, run: Run) => Promise<void>;
  /** Runs the finalize taps once the cluster is clean. */
  readonly finalizeHooks: (object: O, run: Run) => Promise<void>;
  /** Progress of the object's current Operation. */
  readonly step?: (object: O, step: RenderedStep, percent: number) => void;
}

/** The steps from a changed spec to a serving release, in order; `remove` stands alone. */
export const renderedSteps = ['prepare', 'render', 'apply', 'rollout'] as const;
export type RenderedStep = (typeof renderedSteps)[number] | 'release-tasks' | 'remove';
