import type { Condition, Outcome, Prepared, RenderFacts } from '@tappaas/sdk';
import { failureText, runApplySet, type ApplySetOptions, type ApplySetResult } from './apply-set.js';
import type { Run } from './controller.js';
import { reconcileErrors } from './errors.js';
import { refKey, refOf, type ObjectRef } from './object-ref.js';
import { isReleaseTask } from './release-task.js';
import { contentOf, renderKeyOf, type StoredRelease } from './release.js';
import { createRenderSet, type AttributedRenderSet } from './render-set.js';
import {
  appliedConditions,
  blockedMs,
  messageOf,
  notReady,
  outcomeOf,
  rendered,
  renderFailed,
  withReady,
  type Applied,
} from './rendered-conditions.js';
import type { Objects, RenderedObject, RenderedOptions, Summary } from './rendered-options.js';

/** Makes the reconcile function of a rendering controller. */
export function createRenderedReconcile<O extends RenderedObject>(
  options: RenderedOptions<O>,
): (key: string, run: Run) => Promise<Outcome> {
  const controller = new RenderedController(options);
  return (key, run) => controller.reconcile(key, run);
}

/**
 * prepare → (render → taps → release, if the spec or an input changed) → apply set → observe → status.
 *
 * A failure before the apply set leaves the cluster unchanged. Only the release determines what is on the cluster, not what a plugin would
 * render at the moment.
 */
class RenderedController<O extends RenderedObject> {
  readonly #options: RenderedOptions<O>;

  constructor(options: RenderedOptions<O>) {
    this.#options = options;
  }

  async reconcile(key: string, run: Run): Promise<Outcome> {
    const object = this.#options.read(key);
    if (object === undefined) return undefined;
    if (object.metadata.deletionTimestamp !== undefined) return this.#remove(object, run);
    if (await this.#options.isCancelled?.(object)) {
      await this.#options.abandon?.(object, run);
      return this.#fallBack(object, cancelled, run);
    }
    this.#options.step?.(object, 'prepare', 0);
    const prepared = (await this.#options.prepare?.(object, run)) ?? { ready: true, inputs: {} };
    this.#options.step?.(object, 'prepare', prepared.ready ? 100 : 0);
    const facts = await this.#facts(object, prepared.ready ? prepared.inputs : {}, run);
    if (!prepared.ready) return this.#wait(object, prepared, facts, run);
    const { releases } = this.#options;
    const newest = await this.#release(object, facts, run);
    const pin = await releases.pinned?.(object);
    if (pin === undefined) {
      const failure = await releases.failureOf?.(object, newest);
      return failure === undefined ? this.#serve(object, newest, facts, run) : this.#fallBack(object, releaseFailed(failure), run);
    }
    return pin.release === undefined ? this.#holdStill(object, pin.name, run) : this.#serve(object, pin.release, facts, run, pinned);
  }

  /** Determines the render facts. Without a cluster there is nothing to render for, and the status must say so. */
  async #facts(object: O, inputs: Readonly<Record<string, string>>, run: Run): Promise<RenderFacts> {
    try {
      return await this.#options.factsOf(object, inputs);
    } catch (error) {
      if (!run.signal.aborted) await this.#state(object, [notReady('NotPlaced', messageOf(error))], run);
      throw error;
    }
  }

  /** Leaves the cluster unchanged: a pin is a deliberate choice, so no other release may take its place. */
  async #holdStill(object: O, pin: string, run: Run): Promise<Outcome> {
    const message = `it is pinned to release ${pin}, which does not exist; the release that served continues until spec.pin is corrected or cleared`;
    await this.#state(object, [notReady('ReleaseUnknown', message)], run);
    return { againAfterMs: blockedMs };
  }

  /** While inputs are awaited, keeps applying the serving release to correct drift; that is not a step of the pending change. */
  async #wait(object: O, prepared: Extract<Prepared, { ready: false }>, facts: RenderFacts, run: Run): Promise<Outcome> {
    const pin = await this.#options.releases.pinned?.(object);
    const serving = pin === undefined ? (await this.#options.releases.newest(object))?.release : pin.release;
    const result = serving === undefined ? undefined : await this.#bringConfirmed(object, serving, facts, run);
    const conditions = [...prepared.conditions, ...appliedConditions(result)];
    const message = conditions.find(({ type }) => type === 'Ready')?.message ?? 'what it needs cannot be had';
    const end = prepared.failed === true ? { end: { phase: 'Failed', message } as const } : {};
    await this.#options.setStatus(object, { status: {}, conditions, ...end }, run);
    return outcomeOf(result);
  }

  async #release(object: O, facts: RenderFacts, run: Run): Promise<StoredRelease> {
    const { releases, campaignOf, step } = this.#options;
    const renderKey = renderKeyOf(object, facts, campaignOf?.(object) ?? '');
    const newest = await releases.newest(object);
    step?.(object, 'render', newest?.renderKey === renderKey ? 100 : 0);
    if (newest?.renderKey === renderKey) return newest.release;
    try {
      const set = await this.#render(object, facts);
      const release = await releases.store(object, contentOf(set, facts.cluster.name), renderKey, run);
      step?.(object, 'render', 100);
      return release;
    } catch (error) {
      if (!run.signal.aborted) await this.#state(object, renderFailed(error), run);
      throw error;
    }
  }

  async #render(object: O, facts: RenderFacts): Promise<AttributedRenderSet> {
    const { render, renderHooks, actor } = this.#options;
    return renderHooks(object, createRenderSet(render(object, facts), { actor }), facts);
  }

  /** Applies a release. `chosen` says who else chose it: then no other release replaces it on failure, and it waits for the next event. */
  async #serve(object: O, release: StoredRelease, facts: RenderFacts, run: Run, chosen?: string): Promise<Outcome> {
    const { releases, setStatus, step } = this.#options;
    const result = await this.#apply(object, release, facts, run);
    const { summary, conditions } = await this.#look(object, release, facts, result);
    const ready = conditions.find(({ type }) => type === 'Ready');
    const message = ready?.message ?? '';
    const serving = await releases.serving?.(object);
    const isServing = ready?.status === 'True' && result.isComplete;
    if (isServing) await releases.noteServing?.(object, { release, inputs: facts.inputs });
    if (result.isComplete) step?.(object, 'rollout', isServing ? 100 : 0);
    const failed = result.held?.state === 'failed' ? 'rollback' : summary.failed;
    const isRefused = failed !== undefined && serving?.release.name !== release.name;
    const status = { ...summary.status, release: (isServing ? release : (serving?.release ?? release)).name };
    const fallsBack = isRefused && failed === 'rollback' && serving !== undefined && chosen === undefined;
    const why = fallsBack ? `${message}; ${goesOn(serving.release)}` : [message, ...(chosen === undefined ? [] : [chosen])].join('; ');
    const end = isServing
      ? ({ phase: 'Succeeded', message } as const)
      : isRefused
        ? ({ phase: 'Failed', message: why } as const)
        : undefined;
    if (isRefused) await releases.noteRefused?.(object, release);
    if (fallsBack) await releases.noteFailure?.(object, release, message);
    await setStatus(object, { status, conditions, ...(end ? { end } : {}) }, run);
    if (result.failed.length > 0) throw reconcileErrors.TAP_APPLY_FAILED({ message: failureText(result), cause: result.failed[0]?.error });
    return fallsBack ? { againAfterMs: 0 } : outcomeOf(result);
  }

  /** Returns to what served before the current spec; if nothing did, removes everything. */
  async #fallBack(object: O, { reason, phase, why }: FallBack, run: Run): Promise<Outcome> {
    const serving = await this.#options.releases.serving?.(object);
    const facts = await this.#facts(object, serving?.inputs ?? {}, run);
    const release = serving?.release ?? nothing;
    // The tasks of a release that served have succeeded; those of a failed release stay for diagnosis.
    const [tasks, objects] = partition(release.objects, isReleaseTask);
    const own = new Set(tasks.map((task) => refKey(refOf(task))));
    const keeps = (ref: ObjectRef): boolean => (phase === 'Failed' ? ref.kind === 'Job' : own.has(refKey(ref)));
    const result = await this.#apply(object, { ...release, objects }, facts, run, keeps);
    const { summary, conditions } = await this.#look(object, release, facts, result);
    const message = `${why}; ${serving ? goesOn(release) : 'nothing served before, so nothing runs'}`;
    const stated = conditions.map((condition) => (condition.type === 'Ready' ? notReady(reason, message) : condition));
    const status = serving ? { ...summary.status, release: release.name } : summary.status;
    await this.#options.setStatus(object, { status, conditions: stated, end: { phase, message } }, run);
    if (result.failed.length > 0) throw reconcileErrors.TAP_APPLY_FAILED({ message: failureText(result), cause: result.failed[0]?.error });
    return outcomeOf(result);
  }

  #state(object: O, conditions: readonly Condition[], run: Run): Promise<void> {
    return this.#options.setStatus(object, { status: {}, conditions }, run);
  }

  /** Observes the cluster after an apply set, and derives all conditions. */
  async #look(
    object: O,
    release: StoredRelease,
    facts: RenderFacts,
    result: Applied,
  ): Promise<{ readonly summary: Summary; readonly conditions: readonly Condition[] }> {
    const { summarize, observeHooks, placeOf } = this.#options;
    const observed = result.live.concat((await placeOf(object, facts)).below(result.live));
    const summary = summarize(object, { facts, release, observed });
    const stated = [...summary.conditions, rendered, ...(await observeHooks(object, observed)), ...appliedConditions(result)];
    return { summary, conditions: withReady(stated, result) };
  }

  async #apply(object: O, release: StoredRelease, facts: RenderFacts, run: Run, keeps?: Keeps): Promise<Applied> {
    const { step } = this.#options;
    step?.(object, 'apply', 0);
    const result = await this.#bringConfirmed(object, release, facts, run, keeps);
    if (result.unconfirmed !== undefined) return result;
    step?.(object, 'apply', result.isComplete ? 100 : 50);
    if (release.objects.some(isReleaseTask)) step?.(object, 'release-tasks', result.held ? 0 : 100);
    return result;
  }

  /** Applies objects if the platform is confirmed; otherwise writes nothing and only inspects the cluster. */
  async #bringConfirmed(object: O, release: StoredRelease, facts: RenderFacts, run: Run, keeps?: Keeps): Promise<Applied> {
    const { confirmation, finalizer, addFinalizer } = this.#options;
    const gate = confirmation();
    if (!gate.isConfirmed) return this.#inspect(object, facts, gate.message, run);
    if (object.metadata.finalizers?.includes(finalizer) !== true) await addFinalizer(object, run);
    return this.#bring(object, release.objects, facts, run, keeps);
  }

  async #bring(object: O, objects: Objects, facts: RenderFacts, run: Run, keeps?: Keeps): Promise<ApplySetResult> {
    const { loadInventory, saveInventory, placeOf, installation, manager } = this.#options;
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

  async #inspect(object: O, facts: RenderFacts, unconfirmed: string, run: Run): Promise<Applied> {
    const { target, cached } = await this.#options.placeOf(object, facts);
    const inventory = await this.#options.loadInventory(object);
    const find = async (ref: ObjectRef): Promise<Objects> => {
      const live = cached?.(ref)?.live ?? (await target.find(ref, run.signal));
      return live === undefined ? [] : [live];
    };
    const live = (await Promise.all(inventory.map(find))).flat();
    return { applied: [], skipped: 0, deleted: [], leaving: [], refused: [], failed: [], isComplete: false, inventory, live, unconfirmed };
  }

  /** Removes the objects from the cluster; the object itself stays until its inventory is empty. */
  async #remove(object: O, run: Run): Promise<Outcome> {
    const { confirmation, finalizer, finalizeHooks, removeFinalizer, step } = this.#options;
    if (object.metadata.finalizers?.includes(finalizer) !== true) return undefined;
    const gate = confirmation();
    if (!gate.isConfirmed) {
      await this.#state(object, [notReady('NotConfirmed', gate.message)], run);
      return { againAfterMs: blockedMs };
    }
    step?.(object, 'remove', 0);
    try {
      const result = await this.#bring(object, [], await this.#options.factsOf(object, {}), run);
      if (result.failed.length > 0)
        throw reconcileErrors.TAP_APPLY_FAILED({ message: failureText(result), cause: result.failed[0]?.error });
      if (!result.isComplete) return outcomeOf(result);
      await finalizeHooks(object, run);
    } catch (error) {
      if (!run.signal.aborted) await this.#state(object, [notReady('DeletionBlocked', messageOf(error))], run);
      throw error;
    }
    step?.(object, 'remove', 100);
    await removeFinalizer(object, run);
    return undefined;
  }
}

/** Why the previously serving release replaces the desired one. */
interface FallBack {
  readonly reason: string;
  readonly phase: 'Failed' | 'Cancelled';
  readonly why: string;
}

const cancelled: FallBack = { reason: 'Cancelled', phase: 'Cancelled', why: 'the change was cancelled' };
const releaseFailed = (why: string): FallBack => ({ reason: 'ReleaseFailed', phase: 'Failed', why });
const goesOn = ({ name }: StoredRelease): string => `release ${name} goes on serving`;
const pinned = 'it is pinned, so no other release takes its place until spec.pin is changed or cleared';
const nothing: StoredRelease = { name: '', number: 0, objects: [] };

type Keeps = NonNullable<ApplySetOptions['keeps']>;

function partition<T>(items: readonly T[], isFirst: (item: T) => boolean): readonly [readonly T[], readonly T[]] {
  return [items.filter(isFirst), items.filter((item) => !isFirst(item))];
}
