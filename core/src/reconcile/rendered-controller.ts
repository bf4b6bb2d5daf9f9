import {
  isTapError,
  type Condition,
  type Immutable,
  type KubernetesObject,
  type Outcome,
  type Prepared,
  type RenderFacts,
} from '@tappaas/sdk';
import { failureText, runApplySet, type ApplySetOptions, type ApplySetResult, type ApplyTarget } from './apply-set.js';
import type { Run } from './controller.js';
import { reconcileErrors } from './errors.js';
import type { InventoryEntry } from './inventory.js';
import { refKey, refOf, refText, type ObjectRef } from './object-ref.js';
import { isReleaseTask } from './release-task.js';
import { contentOf, renderKeyOf, type ReleaseBook, type StoredRelease } from './release.js';
import { createRenderSet, type AttributedRenderSet } from './render-set.js';

type Objects = readonly Immutable<KubernetesObject>[];

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
  /** The pods that the given objects own. */
  podsOf(objects: Objects): Objects;
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

/** How soon a set is looked at again that waits for objects to go, for a person, or for a name to become free. */
const leavingMs = 1_000;
const blockedMs = 60_000;

/** The reconcile function of a controller that renders. */
export function createRenderedReconcile<O extends RenderedObject>(
  options: RenderedOptions<O>,
): (key: string, run: Run) => Promise<Outcome> {
  const controller = new RenderedController(options);
  return (key, run) => controller.reconcile(key, run);
}

/**
 * prepare → (render → taps → release, if the spec or an input changed) → apply set → observe → status.
 *
 * A failure before the apply set leaves the cluster as it is. Only the release decides what is on the cluster; what a plugin would
 * render today does not.
 */
class RenderedController<O extends RenderedObject> {
  private readonly options: RenderedOptions<O>;

  constructor(options: RenderedOptions<O>) {
    this.options = options;
  }

  async reconcile(key: string, run: Run): Promise<Outcome> {
    const object = this.options.read(key);
    if (object === undefined) return undefined;
    if (object.metadata.deletionTimestamp !== undefined) return this.remove(object, run);
    if (await this.options.isCancelled?.(object)) return this.fallBack(object, cancelled, run);
    this.options.step?.(object, 'prepare', 0);
    const prepared = (await this.options.prepare?.(object, run)) ?? { ready: true, inputs: {} };
    this.options.step?.(object, 'prepare', prepared.ready ? 100 : 0);
    const facts = await this.facts(object, prepared.ready ? prepared.inputs : {}, run);
    if (!prepared.ready) return this.wait(object, prepared, facts, run);
    const { releases } = this.options;
    const newest = await this.release(object, facts, run);
    const pin = await releases.pinned?.(object);
    if (pin === undefined) {
      const failure = await releases.failureOf?.(object, newest);
      return failure === undefined ? this.serve(object, newest, facts, run) : this.fallBack(object, releaseFailed(failure), run);
    }
    return pin.release === undefined ? this.holdStill(object, pin.name, run) : this.serve(object, pin.release, facts, run);
  }

  /** Without a cluster there is nothing to render for, and the object must say so. */
  private async facts(object: O, inputs: Readonly<Record<string, string>>, run: Run): Promise<RenderFacts> {
    try {
      return await this.options.factsOf(object, inputs);
    } catch (error) {
      if (!run.signal.aborted) await this.state(object, [notReady('NotPlaced', messageOf(error))], run);
      throw error;
    }
  }

  /** Whoever pins means to choose what serves: nothing else may take its place. */
  private async holdStill(object: O, pin: string, run: Run): Promise<Outcome> {
    const message = `it is pinned to release ${pin}, which does not exist; what served goes on serving until spec.pin is mended or cleared`;
    await this.state(object, [notReady('ReleaseUnknown', message)], run);
    return { againAfterMs: blockedMs };
  }

  /** What served goes on serving, and drift is mended, while inputs are awaited. */
  private async wait(object: O, prepared: Extract<Prepared, { ready: false }>, facts: RenderFacts, run: Run): Promise<Outcome> {
    const pin = await this.options.releases.pinned?.(object);
    const serving = pin === undefined ? (await this.options.releases.newest(object))?.release : pin.release;
    const result = serving === undefined ? undefined : await this.apply(object, serving, facts, run);
    const conditions = [...prepared.conditions, ...appliedConditions(result)];
    const message = conditions.find(({ type }) => type === 'Ready')?.message ?? 'what it needs cannot be had';
    const end = prepared.failed === true ? { end: { phase: 'Failed', message } as const } : {};
    await this.options.setStatus(object, { status: {}, conditions, ...end }, run);
    return outcomeOf(result);
  }

  private async release(object: O, facts: RenderFacts, run: Run): Promise<StoredRelease> {
    const { releases, campaignOf, step } = this.options;
    const renderKey = renderKeyOf(object, facts, campaignOf?.(object) ?? '');
    const newest = await releases.newest(object);
    step?.(object, 'render', newest?.renderKey === renderKey ? 100 : 0);
    if (newest?.renderKey === renderKey) return newest.release;
    try {
      const set = await this.render(object, facts);
      const release = await releases.store(object, contentOf(set, facts.cluster.name), renderKey, run);
      step?.(object, 'render', 100);
      return release;
    } catch (error) {
      if (!run.signal.aborted) await this.state(object, renderFailed(error), run);
      throw error;
    }
  }

  private async render(object: O, facts: RenderFacts): Promise<AttributedRenderSet> {
    const { render, renderHooks, actor } = this.options;
    return renderHooks(object, createRenderSet(render(object, facts), { actor }), facts);
  }

  private async serve(object: O, release: StoredRelease, facts: RenderFacts, run: Run): Promise<Outcome> {
    const { releases, setStatus, step } = this.options;
    const result = await this.apply(object, release, facts, run);
    const { summary, conditions } = await this.look(object, release, facts, result);
    const ready = conditions.find(({ type }) => type === 'Ready');
    const message = ready?.message ?? '';
    const serving = await releases.serving?.(object);
    const isServing = ready?.status === 'True' && result.isComplete;
    if (isServing) await releases.noteServing?.(object, { release, inputs: facts.inputs });
    if (result.isComplete) step?.(object, 'rollout', isServing ? 100 : 0);
    const failed = result.held?.state === 'failed' ? 'rollback' : summary.failed;
    const isRefused = failed !== undefined && serving?.release.name !== release.name;
    const status = { ...summary.status, release: (isServing ? release : (serving?.release ?? release)).name };
    const end = isServing ? ({ phase: 'Succeeded', message } as const) : isRefused ? ({ phase: 'Failed', message } as const) : undefined;
    const fallsBack = isRefused && failed === 'rollback' && serving !== undefined;
    if (fallsBack) await releases.noteFailure?.(object, release, message);
    await setStatus(object, { status, conditions, ...(end ? { end } : {}) }, run);
    if (result.failed.length > 0) throw reconcileErrors.TAP_APPLY_FAILED({ message: failureText(result), cause: result.failed[0]?.error });
    return fallsBack ? { againAfterMs: 0 } : outcomeOf(result);
  }

  /** What served before the present spec goes on serving; where nothing did, nothing is left. */
  private async fallBack(object: O, { reason, phase, why }: FallBack, run: Run): Promise<Outcome> {
    const serving = await this.options.releases.serving?.(object);
    const facts = await this.facts(object, serving?.inputs ?? {}, run);
    const release = serving?.release ?? nothing;
    // The tasks of a release that served have succeeded; those of one that failed stay for whoever wants to know why.
    const [tasks, objects] = partition(release.objects, isReleaseTask);
    const own = new Set(tasks.map((task) => refKey(refOf(task))));
    const keeps = (ref: ObjectRef): boolean => (phase === 'Failed' ? ref.kind === 'Job' : own.has(refKey(ref)));
    const result = await this.apply(object, { ...release, objects }, facts, run, keeps);
    const { summary, conditions } = await this.look(object, release, facts, result);
    const message = `${why}; ${serving ? `release ${release.name} goes on serving` : 'nothing served before, so nothing runs'}`;
    const stated = conditions.map((condition) => (condition.type === 'Ready' ? notReady(reason, message) : condition));
    const status = serving ? { ...summary.status, release: release.name } : summary.status;
    await this.options.setStatus(object, { status, conditions: stated, end: { phase, message } }, run);
    if (result.failed.length > 0) throw reconcileErrors.TAP_APPLY_FAILED({ message: failureText(result), cause: result.failed[0]?.error });
    return outcomeOf(result);
  }

  private state(object: O, conditions: readonly Condition[], run: Run): Promise<void> {
    return this.options.setStatus(object, { status: {}, conditions }, run);
  }

  /** What the cluster shows after an apply set, and every condition that follows from it. */
  private async look(
    object: O,
    release: StoredRelease,
    facts: RenderFacts,
    result: Applied,
  ): Promise<{ readonly summary: Summary; readonly conditions: readonly Condition[] }> {
    const { summarize, observeHooks, placeOf } = this.options;
    const observed = result.live.concat((await placeOf(object, facts)).podsOf(result.live));
    const summary = summarize(object, { facts, release, observed });
    const stated = [...summary.conditions, rendered, ...(await observeHooks(object, observed)), ...appliedConditions(result)];
    return { summary, conditions: withReady(stated, result) };
  }

  /** Without confirmation nothing is written, and what is there is only looked at. */
  private async apply(object: O, release: StoredRelease, facts: RenderFacts, run: Run, keeps?: Keeps): Promise<Applied> {
    const { confirmation, finalizer, addFinalizer, step } = this.options;
    const gate = confirmation();
    if (!gate.isConfirmed) return this.inspect(object, facts, gate.message, run);
    if (object.metadata.finalizers?.includes(finalizer) !== true) await addFinalizer(object, run);
    step?.(object, 'apply', 0);
    const result = await this.bring(object, release.objects, facts, run, keeps);
    step?.(object, 'apply', result.isComplete ? 100 : 50);
    if (release.objects.some(isReleaseTask)) step?.(object, 'release-tasks', result.held ? 0 : 100);
    return result;
  }

  private async bring(object: O, objects: Objects, facts: RenderFacts, run: Run, keeps?: Keeps): Promise<ApplySetResult> {
    const { loadInventory, saveInventory, placeOf, installation, manager } = this.options;
    const { target, cached } = await placeOf(object, facts);
    return runApplySet(objects, {
      target,
      ...(cached === undefined ? {} : { cached }),
      inventory: await loadInventory(object),
      saveInventory: (entries) => saveInventory(object, entries, run),
      ownership: { installation, owner: object.metadata.uid },
      manager,
      ...(keeps ? { keeps } : {}),
      signal: run.signal,
    });
  }

  private async inspect(object: O, facts: RenderFacts, unconfirmed: string, run: Run): Promise<Applied> {
    const { target, cached } = await this.options.placeOf(object, facts);
    const inventory = await this.options.loadInventory(object);
    const find = async (ref: ObjectRef): Promise<Objects> => {
      const live = cached?.(ref)?.live ?? (await target.find(ref, run.signal));
      return live === undefined ? [] : [live];
    };
    const live = (await Promise.all(inventory.map(find))).flat();
    return { applied: [], skipped: 0, deleted: [], leaving: [], refused: [], failed: [], isComplete: false, inventory, live, unconfirmed };
  }

  /** The object stays until everything in its inventory is gone from the cluster. */
  private async remove(object: O, run: Run): Promise<Outcome> {
    const { confirmation, finalizer, finalizeHooks, removeFinalizer, step } = this.options;
    if (object.metadata.finalizers?.includes(finalizer) !== true) return undefined;
    const gate = confirmation();
    if (!gate.isConfirmed) {
      await this.state(object, [notReady('NotConfirmed', gate.message)], run);
      return { againAfterMs: blockedMs };
    }
    step?.(object, 'remove', 0);
    try {
      const result = await this.bring(object, [], await this.options.factsOf(object, {}), run);
      if (result.failed.length > 0)
        throw reconcileErrors.TAP_APPLY_FAILED({ message: failureText(result), cause: result.failed[0]?.error });
      if (!result.isComplete) return outcomeOf(result);
      await finalizeHooks(object, run);
    } catch (error) {
      if (!run.signal.aborted) await this.state(object, [notReady('DeletionBlocked', messageOf(error))], run);
      throw error;
    }
    step?.(object, 'remove', 100);
    await removeFinalizer(object, run);
    return undefined;
  }
}

/** Why what served before takes the place of what is wished. */
interface FallBack {
  readonly reason: string;
  readonly phase: 'Failed' | 'Cancelled';
  readonly why: string;
}

const cancelled: FallBack = { reason: 'Cancelled', phase: 'Cancelled', why: 'the change was cancelled' };
const releaseFailed = (why: string): FallBack => ({ reason: 'ReleaseFailed', phase: 'Failed', why });
const nothing: StoredRelease = { name: '', number: 0, objects: [] };

type Keeps = NonNullable<ApplySetOptions['keeps']>;

function partition<T>(items: readonly T[], isFirst: (item: T) => boolean): readonly [readonly T[], readonly T[]] {
  return [items.filter(isFirst), items.filter((item) => !isFirst(item))];
}

/** What came of an apply set, or why there was none. */
type Applied = ApplySetResult & { readonly unconfirmed?: string };

function outcomeOf(result: Applied | undefined): Outcome {
  if (result === undefined || result.isComplete) return undefined;
  // The cluster tells when a release task has ended.
  if (result.held && result.leaving.length === 0) return { againAfterMs: blockedMs };
  return { againAfterMs: result.unconfirmed === undefined && result.refused.length === 0 ? leavingMs : blockedMs };
}

function appliedConditions(result: Applied | undefined): readonly Condition[] {
  if (result === undefined) return [];
  const applied = (status: Condition['status'], reason: string, message: string): readonly Condition[] => [
    { type: 'Applied', status, reason, message },
  ];
  if (result.unconfirmed !== undefined) return applied('Unknown', 'NotConfirmed', result.unconfirmed);
  const [refused] = result.refused;
  if (refused) return applied('False', refused.reason, result.refused.map(({ message }) => message).join('; '));
  if (result.failed.length > 0) return applied('False', 'ApplyFailed', failureText(result));
  if (result.leaving.length > 0) return applied('False', 'ObjectsLeaving', `waiting until gone: ${result.leaving.map(refText).join(', ')}`);
  if (result.held) return applied('False', result.held.state === 'failed' ? 'ReleaseTaskFailed' : 'ReleaseTasks', result.held.message);
  return applied('True', 'Applied', 'the cluster has what the release says');
}

const rendered: Condition = { type: 'Rendered', status: 'True', reason: 'Rendered', message: 'the release has what the spec says' };

function renderFailed(error: unknown): readonly Condition[] {
  const plugin = isTapError(error) ? error.plugin : undefined;
  const message = `${plugin === undefined ? 'rendering failed' : `plugin ${plugin} failed to render`}: ${messageOf(error)}`;
  return [{ type: 'Rendered', status: 'False', reason: 'RenderFailed', message }, notReady('RenderFailed', message)];
}

/** Nothing is ready that could not be brought to its cluster, however well what was there before does. */
function withReady(stated: readonly Condition[], result: Applied): readonly Condition[] {
  if (result.refused.length === 0 && result.failed.length === 0 && result.held === undefined) return stated;
  const { reason, message } = appliedConditions(result)[0] ?? rendered;
  return stated.map((condition) => (condition.type === 'Ready' ? notReady(reason, message) : condition));
}

function notReady(reason: string, message: string): Condition {
  return { type: 'Ready', status: 'False', reason, message };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
