import type { Clock, Immutable, Logger, Resources } from '@tappaas/sdk';
import { Operation, type OperationObject } from '@tappaas/sdk/kinds';
import type { EngineObject } from '../engine-object.js';
import { replicaLabel } from './long-actions.js';
import { hasEnded, OperationNotes, patchOperation } from './operation-notes.js';
import { operationStatus, type OperationEnd } from './operation-steps.js';
import type { ObjectEvent } from '../controllers/reconcile-context.js';
import { supersededEvent } from '../rendering/rendering-events.js';

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
  /** Tells people what became of an operation that nobody waits for any more. */
  readonly tell: (object: Owner, event: ObjectEvent) => void;
  readonly clock: Clock;
  readonly log: Logger;
}

export function createOperationTracker(options: OperationTrackerOptions): OperationTracker {
  return new Tracker(options);
}

const operationsMax = 1_000;

class Tracker implements OperationTracker {
  readonly #options: OperationTrackerOptions;
  /** By the uid of the object that is worked on. */
  readonly #notes = new Map<string, OperationNotes>();

  constructor(options: OperationTrackerOptions) {
    this.#options = options;
  }

  progress(object: Owner, step: string, percent: number): void {
    const { log } = this.#options;
    this.#notesOf(object)
      ?.progress(step, percent)
      .catch((error: unknown) => log.debug('the progress of an operation was not stored', { error }));
  }

  async tell(object: Owner, told: { readonly message?: string; readonly end?: OperationEnd }): Promise<void> {
    await this.#notesOf(object)?.tell(told);
  }

  isCancelled(object: Owner): boolean {
    const key = keyOf(object);
    const operation = key && this.#options.cached(key);
    return operation?.spec.cancelled === true && !hasEnded(operation);
  }

  async settled(uid: string): Promise<void> {
    await this.#notes.get(uid)?.settled();
    this.#notes.delete(uid);
  }

  /** By the cache: an operation that is not there yet is open, of one that has ended nothing is noted. */
  #notesOf(object: Owner): OperationNotes | undefined {
    const key = keyOf(object);
    const operation = key && this.#options.cached(key);
    if (key === undefined || (operation && hasEnded(operation))) return undefined;
    const { uid } = object.metadata;
    const notes = this.#notes.get(uid) ?? new OperationNotes({ ...this.#options, key, onBegin: () => this.#supersede(object) });
    this.#notes.set(uid, notes);
    return notes;
  }

  /**
   * The operations of earlier generations end when a later one begins to be worked on. Those of actions do not: their handlers go on, and tell
   * themselves how they ended.
   */
  async #supersede(object: Owner): Promise<void> {
    const { resources, clock, planned, tell } = this.#options;
    const { namespace = '', uid, generation = 1 } = object.metadata;
    const selection = { fields: `spec.target.uid=${uid}`, labels: `!${replicaLabel}` };
    const older = resources.list(Operation, { namespace, ...selection, itemsMax: operationsMax });
    for await (const operation of older) {
      const { spec, status } = operation;
      if (hasEnded(operation) || (spec.target.generation ?? generation) >= generation) continue;
      const end: OperationEnd = { phase: 'Cancelled', message: `superseded by generation ${generation}` };
      await patchOperation(resources, operation.metadata, operationStatus(status, { planned, steps: [], end }, clock.nowMs()));
      tell(object, supersededEvent(operation.metadata.name, generation));
    }
  }
}

/** The operation of the generation that an object has. */
function keyOf({ metadata, status }: Owner): { readonly namespace: string; readonly name: string } | undefined {
  const { operation } = (status ?? {}) as { readonly operation?: unknown };
  const { namespace } = metadata;
  return typeof operation === 'string' && namespace !== undefined ? { namespace, name: operation } : undefined;
}
