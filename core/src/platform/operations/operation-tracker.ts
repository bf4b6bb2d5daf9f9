import type { Clock, Immutable, Logger, Resources } from '@tappaas/sdk';
import { Operation, type OperationObject } from '@tappaas/sdk/kinds';
import type { EngineObject } from '../engine-object.js';
import { replicaLabel } from './long-actions.js';
import { hasEnded, OperationNotes, patchOperation } from './operation-notes.js';
import { operationStatus, type OperationEnd } from './operation-steps.js';
import type { ObjectEvent } from '../controllers/reconcile-context.js';
import { supersededEvent } from '../rendering/rendering-events.js';

type Owner = Immutable<EngineObject>;

/** Maintains the status of the Operation for an object's current generation; an ended operation is never written. */
export interface OperationTracker {
  /** Notes the progress of a step. Notes are stored together soon, at the latest by `settled`. */
  progress(object: Owner, step: string, percent: number): void;
  /** Notes what the operation waits for, or its result. */
  tell(object: Owner, told: { readonly message?: string; readonly end?: OperationEnd }): Promise<void>;
  /** Whether a user cancelled the operation before it ended. */
  isCancelled(object: Owner): boolean;
  /** Waits until all notes about an object are stored. A run awaits this, so that no write outlives it. */
  settled(uid: string): Promise<void>;
}

export interface OperationTrackerOptions {
  readonly resources: Resources;
  /** Returns the cached operation. */
  readonly cached: (key: { readonly namespace: string; readonly name: string }) => Immutable<OperationObject> | undefined;
  /** Planned steps of every operation, in order. */
  readonly planned: readonly string[];
  /** Emits an event about a superseded operation. */
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
  /** By uid of the owner object. */
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

  /** Returns the notes of an operation by the cache: one not cached yet counts as open, and an ended one gets no notes. */
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
   * Ends the operations of earlier generations when work on a later one begins. Those of actions are excluded, because their handlers keep
   * running and record the result themselves.
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

/** Returns the key of the operation for the object's current generation. */
function keyOf({ metadata, status }: Owner): { readonly namespace: string; readonly name: string } | undefined {
  const { operation } = (status ?? {}) as { readonly operation?: unknown };
  const { namespace } = metadata;
  return typeof operation === 'string' && namespace !== undefined ? { namespace, name: operation } : undefined;
}
