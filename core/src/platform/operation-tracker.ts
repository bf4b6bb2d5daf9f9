import { isTapError, type Immutable, type Logger, type Resources } from '@tappaas/sdk';
import { Operation, type OperationObject } from '@tappaas/sdk/kinds';
import { canonicalJson } from '../reconcile/canonical.js';
import type { EngineObject } from './engine-object.js';
import { operationStatus, type NotedStep, type OperationEnd } from './operation-steps.js';

type Owner = Immutable<EngineObject>;

/** Keeps the status of the Operation that an object's present generation has begun; what has ended is never written again. */
export interface OperationTracker {
  /** A step of the operation is so far. Stored soon, at the latest when `settled`; what comes meanwhile is stored together. */
  progress(object: Owner, step: string, percent: number): void;
  /** What the operation waits for, or how it ended. */
  tell(object: Owner, told: { readonly message?: string; readonly end?: OperationEnd }): Promise<void>;
  /** Whether somebody asked to stop the operation before it ended. */
  isCancelled(object: Owner): boolean;
  /** Waits until everything that was noted about an object is stored. A run awaits it, so that no write outlives its run. */
  settled(uid: string): Promise<void>;
}

export interface OperationTrackerOptions {
  readonly resources: Resources;
  /** The operation as a cache has it. */
  readonly cached: (key: { readonly namespace: string; readonly name: string }) => Immutable<OperationObject> | undefined;
  /** Steps that every operation will have, in order. */
  readonly planned: readonly string[];
  readonly nowMs: () => number;
  readonly log: Logger;
}

export function createOperationTracker(options: OperationTrackerOptions): OperationTracker {
  return new Tracker(options);
}

const operationsMax = 1_000;

/** Says whether nothing more will become of an operation. */
export const hasEnded = (operation: Immutable<OperationObject>): boolean => operation.status?.completionTime !== undefined;

/** What is noted about one object while it is worked on. */
interface Notes {
  readonly steps: Map<string, NotedStep>;
  message: string | undefined;
  end: OperationEnd | undefined;
  isNew: boolean;
  writing: Promise<void> | undefined;
}

class Tracker implements OperationTracker {
  readonly #options: OperationTrackerOptions;
  readonly #notes = new Map<string, Notes>();

  constructor(options: OperationTrackerOptions) {
    this.#options = options;
  }

  progress(object: Owner, step: string, percent: number): void {
    if (!this.#isOpen(object)) return;
    const notes = this.#notesOf(object);
    const nowMs = this.#options.nowMs();
    notes.steps.set(step, { name: step, percent, firstMs: notes.steps.get(step)?.firstMs ?? nowMs, lastMs: nowMs });
    this.#note(object, notes).catch((error: unknown) => this.#options.log.debug('the progress of an operation was not stored', { error }));
  }

  async tell(object: Owner, { message, end }: { readonly message?: string; readonly end?: OperationEnd }): Promise<void> {
    if (!this.#isOpen(object)) return;
    const notes = this.#notesOf(object);
    notes.message = message;
    notes.end = end;
    await this.#note(object, notes);
  }

  isCancelled(object: Owner): boolean {
    const key = keyOf(object);
    const operation = key && this.#options.cached(key);
    return operation?.spec.cancelled === true && !hasEnded(operation);
  }

  async settled(uid: string): Promise<void> {
    const notes = this.#notes.get(uid);
    try {
      await notes?.writing;
    } catch {
      // Told to whoever noted it; the next run notes all of it again.
    } finally {
      this.#notes.delete(uid);
    }
  }

  /** By the cache: an operation that is not there yet is open, one that has ended stays as it is. */
  #isOpen(object: Owner): boolean {
    const key = keyOf(object);
    const known = key && this.#options.cached(key);
    return key !== undefined && !(known && hasEnded(known));
  }

  #notesOf({ metadata }: Owner): Notes {
    const known = this.#notes.get(metadata.uid);
    if (known) return known;
    const notes = { steps: new Map(), message: undefined, end: undefined, isNew: false, writing: undefined };
    this.#notes.set(metadata.uid, notes);
    return notes;
  }

  /** One write at a time; it takes everything that was noted until it begins. */
  #note(object: Owner, notes: Notes): Promise<void> {
    notes.isNew = true;
    notes.writing ??= this.#write(object, notes).finally(() => (notes.writing = undefined));
    return notes.writing;
  }

  async #write(object: Owner, notes: Notes): Promise<void> {
    // Notes of one turn belong together: a run that needs no time is one write.
    await Promise.resolve();
    while (notes.isNew) {
      notes.isNew = false;
      await this.#writeOnce(object, notes);
    }
  }

  async #writeOnce(object: Owner, notes: Notes): Promise<void> {
    const { resources, planned, nowMs } = this.#options;
    const key = keyOf(object);
    const operation = key && (await resources.get(Operation, key));
    if (key === undefined || operation === undefined || hasEnded(operation)) return;
    if (operation.status?.startTime === undefined) await this.#supersede(object);
    const noted = {
      planned,
      steps: [...notes.steps.values()],
      ...(notes.message === undefined ? {} : { message: notes.message }),
      ...(notes.end ? { end: notes.end } : {}),
    };
    const status = operationStatus(operation.status, noted, nowMs());
    if (canonicalJson({ ...operation.status, ...status }) === canonicalJson(operation.status)) return;
    await this.#patch(key, status);
  }

  /** The operations of earlier generations end when a later one begins to be worked on. */
  async #supersede({ metadata }: Owner): Promise<void> {
    const { resources, nowMs, planned } = this.#options;
    const { namespace = '', uid, generation = 1 } = metadata;
    const older = resources.list(Operation, { namespace, fields: `spec.target.uid=${uid}`, itemsMax: operationsMax });
    for await (const operation of older) {
      const { spec, status } = operation;
      if (hasEnded(operation) || (spec.target.generation ?? generation) >= generation) continue;
      const end: OperationEnd = { phase: 'Cancelled', message: `superseded by generation ${generation}` };
      await this.#patch(operation.metadata, operationStatus(status, { planned, steps: [], end }, nowMs()));
    }
  }

  /** An operation that was deleted by hand is nobody's concern any more. */
  async #patch({ namespace, name }: { readonly namespace: string; readonly name: string }, status: object): Promise<void> {
    try {
      await this.#options.resources.patch(Operation, { namespace, name }, { status }, { subresource: 'status' });
    } catch (error) {
      if (!isTapError(error, 'TAP_OBJECT_NOT_FOUND')) throw error;
    }
  }
}

/** The operation of the generation that an object has. */
function keyOf({ metadata, status }: Owner): { readonly namespace: string; readonly name: string } | undefined {
  const { operation } = (status ?? {}) as { readonly operation?: unknown };
  const { namespace } = metadata;
  return typeof operation === 'string' && namespace !== undefined ? { namespace, name: operation } : undefined;
}
