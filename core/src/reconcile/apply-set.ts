import { isTapError, type Immutable, type KubernetesObject } from '@tappaas/sdk';
import { planApply, planIntent, type ApplyPlan, type IntentStep, type Live, type PlanFacts, type PruneStep } from './apply-plan.js';
import { intentOf, type Intent } from './intent.js';
import { inventoryByKey, isSameInventory, type InventoryEntry, type Ownership } from './inventory.js';
import { refKey, refText, type ObjectRef } from './object-ref.js';
import { heldBy, type HeldBack } from './release-task.js';

/** The requests to a cluster that an apply set needs. */
export interface ApplyTarget {
  find(ref: ObjectRef, signal: AbortSignal): Promise<KubernetesObject | undefined>;
  apply(object: KubernetesObject, options: { fieldManager: string; force: boolean; signal: AbortSignal }): Promise<KubernetesObject>;
  delete(ref: ObjectRef, options: { uid: string; signal: AbortSignal }): Promise<void>;
}

export interface ApplySetOptions {
  readonly target: ApplyTarget;
  /**
   * Returns the cached state of an object, or undefined if it is unknown. Only presence is trusted; absence is checked with a request,
   * because a cache may lag or contain only objects with our labels.
   */
  readonly cached?: (ref: ObjectRef) => { readonly live: Live } | undefined;
  readonly inventory: readonly InventoryEntry[];
  /** Persists the inventory; called before the first apply and after the last write. */
  readonly saveInventory: (entries: readonly InventoryEntry[]) => Promise<void>;
  readonly ownership: Ownership;
  /** Field manager of all applies. */
  readonly manager: string;
  /** Returns whether an object stays on the cluster although it is no longer desired. Default: none stay. */
  readonly keeps?: (ref: ObjectRef) => boolean;
  readonly signal: AbortSignal;
  /** Maximum number of concurrent requests. Default 8. */
  readonly parallelMax?: number;
}

export interface ApplySetResult {
  readonly applied: readonly ObjectRef[];
  readonly skipped: number;
  readonly deleted: readonly ObjectRef[];
  /** Terminating but not gone yet; check again later. */
  readonly leaving: readonly ObjectRef[];
  readonly refused: ApplyPlan['refused'];
  readonly failed: readonly { readonly ref: ObjectRef; readonly error: unknown }[];
  /** A release task that has not succeeded and blocks all serving objects. */
  readonly held?: HeldBack;
  /** All desired objects exist, and no others are left or refused. */
  readonly isComplete: boolean;
  readonly inventory: readonly InventoryEntry[];
  /** The objects of the inventory as last read or returned. */
  readonly live: readonly Immutable<KubernetesObject>[];
}

/**
 * Attempts per apply, including the first; each uses the state read after the previous one lost its race. At least as many as an API server
 * makes for a patch without a version, since a rollout writes its status several times during one request.
 */
const attemptsMax = 8;

/**
 * Applies rendered objects to a cluster: makes a pure plan, stores the inventory, applies wave by wave, and, if all of that succeeded,
 * prunes objects that the inventory lists but that are no longer desired.
 */
export async function runApplySet(rendered: readonly Immutable<KubernetesObject>[], options: ApplySetOptions): Promise<ApplySetResult> {
  const intents = rendered.map((object) => intentOf(object, options.ownership));
  const run = new ApplyRun(intents, options);
  await run.read();
  await run.write();
  return run.result();
}

class ApplyRun {
  readonly #intents: readonly Intent[];
  readonly #options: ApplySetOptions;
  readonly #live = new Map<string, Live>();
  readonly #entries = new Map<string, InventoryEntry>();
  readonly #applied: ObjectRef[] = [];
  readonly #deleted: ObjectRef[] = [];
  readonly #leaving: ObjectRef[] = [];
  readonly #failed: { ref: ObjectRef; error: unknown }[] = [];
  #refused: ApplyPlan['refused'] = [];
  #held: HeldBack | undefined;
  #skipped = 0;
  #saved: readonly InventoryEntry[];

  constructor(intents: readonly Intent[], options: ApplySetOptions) {
    this.#intents = intents;
    this.#options = options;
    this.#saved = options.inventory;
  }

  /** Reads the current state of every object in the intents and the inventory. */
  async read(): Promise<void> {
    const { cached, inventory, target, signal } = this.#options;
    const refs = new Map([...inventory, ...this.#intents.map(({ ref }) => ref)].map((ref) => [refKey(ref), ref]));
    await this.#inParallel([...refs], async ([key, ref]) => {
      this.#live.set(key, cached?.(ref)?.live ?? (await target.find(ref, signal)));
    });
  }

  async write(): Promise<void> {
    const plan = planApply(this.#intents, this.#facts());
    this.#refused = plan.refused;
    for (const entry of plan.inventory) this.#entries.set(refKey(entry), entry);
    if (!plan.isSettled) await this.#save();
    for (const wave of plan.waves) {
      await this.#inParallel(wave, (step) => this.#attempt(step.intent.ref, () => this.#perform(step)));
      // Later waves depend on earlier ones.
      this.#held = heldBy(wave.map(({ intent }) => ({ intent, live: this.#live.get(intent.key) })));
      if (this.#failed.length > 0 || this.#held) break;
    }
    if (this.#failed.length === 0 && this.#refused.length === 0 && !this.#held) await this.#prune(plan);
    await this.#save();
  }

  result(): ApplySetResult {
    const applied = this.#applied;
    const skipped = this.#skipped;
    const deleted = this.#deleted;
    const leaving = this.#leaving;
    const refused = this.#refused;
    const failed = this.#failed;
    const held = this.#held;
    const isComplete = failed.length === 0 && refused.length === 0 && leaving.length === 0 && held === undefined;
    const inventory = [...this.#entries.values()];
    const live = inventory.flatMap((entry) => this.#live.get(refKey(entry)) ?? []);
    return { applied, skipped, deleted, leaving, refused, failed, isComplete, inventory, live, ...(held ? { held } : {}) };
  }

  #facts(): PlanFacts {
    const { inventory, ownership, manager, keeps } = this.#options;
    return { inventory, ownership, manager, live: (ref) => this.#live.get(refKey(ref)), ...(keeps ? { keeps } : {}) };
  }

  async #perform(step: IntentStep): Promise<void> {
    if (step.do !== 'apply') return this.#acknowledge(step);
    const known = inventoryByKey(this.#options.inventory).get(step.intent.key);
    let next: IntentStep = step;
    for (let attempt = 1; next.do === 'apply'; attempt += 1) {
      try {
        await this.#apply(next);
        return;
      } catch (error) {
        if (!isTapError(error, 'TAP_OBJECT_CONFLICT') || attempt >= attemptsMax) throw error;
        this.#live.set(step.intent.key, await this.#options.target.find(step.intent.ref, this.#options.signal));
        next = planIntent(step.intent, known, this.#facts());
      }
    }
    if (next.do === 'refuse') {
      this.#refused = [...this.#refused, next];
      this.#entries.delete(next.intent.key);
    }
    this.#acknowledge(next);
  }

  #acknowledge(step: IntentStep): void {
    if (step.do === 'skip') this.#skipped += 1;
    if (step.do === 'await') this.#leaving.push(step.intent.ref);
  }

  /**
   * Applies an intent. Over an object that was read, the apply takes our fields back by force, provided the object has not changed since. A
   * new object is applied without force, so that one created by others meanwhile is not taken over.
   */
  async #apply({ intent, over }: Extract<IntentStep, { do: 'apply' }>): Promise<void> {
    const { target, manager: fieldManager, signal } = this.#options;
    const { uid, resourceVersion } = over?.metadata ?? {};
    const preconditions = { ...(uid === undefined ? {} : { uid }), ...(resourceVersion === undefined ? {} : { resourceVersion }) };
    const object = { ...intent.object, metadata: { ...intent.object.metadata, ...preconditions } } as KubernetesObject;
    const answer = await target.apply(object, { fieldManager, force: over !== undefined, signal });
    const appliedUid = answer.metadata.uid;
    this.#live.set(intent.key, answer);
    this.#entries.set(intent.key, { ...intent.ref, intentHash: intent.hash, ...(appliedUid === undefined ? {} : { uid: appliedUid }) });
    this.#applied.push(intent.ref);
  }

  async #prune(plan: ApplyPlan): Promise<void> {
    for (const wave of plan.pruneWaves) await this.#inParallel(wave, (step) => this.#attempt(step.entry, () => this.#remove(step)));
  }

  async #remove({ do: what, entry, ...step }: PruneStep): Promise<void> {
    if (what === 'forget') return;
    if ('uid' in step && !(await this.#delete(entry, step.uid))) return;
    const { target, signal } = this.#options;
    const left = await target.find(entry, signal);
    if (left !== undefined && (entry.uid === undefined || left.metadata.uid === entry.uid)) this.#leaving.push(entry);
    else this.#entries.delete(refKey(entry));
  }

  /** Returns false if the object was already gone or has been replaced; then nothing of ours is left. */
  async #delete(entry: InventoryEntry, uid: string): Promise<boolean> {
    const { target, signal } = this.#options;
    try {
      await target.delete(entry, { uid, signal });
      this.#deleted.push(entry);
      return true;
    } catch (error) {
      if (!isTapError(error, 'TAP_OBJECT_NOT_FOUND') && !isTapError(error, 'TAP_OBJECT_CONFLICT')) throw error;
      this.#entries.delete(refKey(entry));
      return false;
    }
  }

  async #attempt(ref: ObjectRef, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      if (this.#options.signal.aborted) throw error;
      this.#failed.push({ ref, error });
    }
  }

  async #save(): Promise<void> {
    const entries = [...this.#entries.values()];
    if (isSameInventory(this.#saved, entries)) return;
    await this.#options.saveInventory(entries);
    this.#saved = entries;
  }

  async #inParallel<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
    const { parallelMax = 8, signal } = this.#options;
    const queue = items.values();
    const worker = async (): Promise<void> => {
      for (const item of queue) {
        signal.throwIfAborted();
        await work(item);
      }
    };
    await Promise.all(Array.from({ length: Math.min(parallelMax, items.length) }, worker));
  }
}

/** Formats the failures of a run as one sentence. */
export function failureText({ failed }: Pick<ApplySetResult, 'failed'>): string {
  return failed.map(({ ref, error }) => `${refText(ref)}: ${error instanceof Error ? error.message : String(error)}`).join('; ');
}
