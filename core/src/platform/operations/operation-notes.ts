import { isTapError, type Clock, type Key, type Resources } from '@tappaas/sdk';
import { Operation, type OperationObject } from '@tappaas/sdk/kinds';
import type { Immutable } from '@tappaas/sdk';
import { canonicalJson } from '../../reconcile/canonical.js';
import { operationStatus, type NotedStep, type OperationEnd } from './operation-steps.js';

/** Whether an operation has ended. */
export const hasEnded = (operation: Immutable<OperationObject>): boolean => operation.status?.completionTime !== undefined;

export interface OperationNotesOptions {
  readonly resources: Resources;
  readonly key: Key & { readonly namespace: string };
  /** Planned steps of the operation, in order. */
  readonly planned: readonly string[];
  readonly clock: Clock;
  /** Called before the first write to an operation that has no progress yet. */
  readonly onBegin?: () => Promise<void>;
}

/** Progress is collected for this time before it is written: a quick run passes through all its steps meanwhile. */
const gatherMs = 200;

/**
 * Collects the progress of one operation and writes it to its status: one write at a time, with everything noted before it begins. An
 * operation that has ended or is gone is never written.
 */
export class OperationNotes {
  readonly #options: OperationNotesOptions;
  readonly #steps = new Map<string, NotedStep>();
  #message: string | undefined;
  #end: OperationEnd | undefined;
  #isNew = false;
  #isUrgent = false;
  #gathering: AbortController | undefined;
  #writing: Promise<void> | undefined;

  constructor(options: OperationNotesOptions) {
    this.#options = options;
  }

  /** Notes the progress of a step, stored together with subsequent notes. @returns when it is stored */
  progress(step: string, percent: number): Promise<void> {
    const nowMs = this.#options.clock.nowMs();
    this.#steps.set(step, { name: step, percent, firstMs: this.#steps.get(step)?.firstMs ?? nowMs, lastMs: nowMs });
    return this.#note();
  }

  /** Notes what the operation waits for, or its result. @returns when it is stored */
  tell({ message, end }: { readonly message?: string; readonly end?: OperationEnd }): Promise<void> {
    this.#message = message;
    this.#end = end;
    const stored = this.#note();
    this.#endBackOff();
    return stored;
  }

  /** Writes pending notes immediately; errors are reported to the callers that noted them. */
  async settled(): Promise<void> {
    this.#endBackOff();
    await this.#writing?.catch(() => undefined);
  }

  #endBackOff(): void {
    this.#isUrgent = true;
    this.#gathering?.abort('it is to be stored now');
  }

  #note(): Promise<void> {
    this.#isNew = true;
    this.#writing ??= this.#write().finally(() => (this.#writing = undefined));
    return this.#writing;
  }

  async #write(): Promise<void> {
    // Combines notes of the same turn into one write.
    await Promise.resolve();
    while (this.#isNew) {
      await this.#gather();
      this.#isNew = false;
      this.#isUrgent = false;
      await this.#writeOnce();
    }
  }

  async #gather(): Promise<void> {
    if (this.#isUrgent) return;
    this.#gathering = new AbortController();
    await this.#options.clock.sleep(gatherMs, this.#gathering.signal).catch(() => undefined);
    this.#gathering = undefined;
  }

  async #writeOnce(): Promise<void> {
    const { resources, key, planned, clock, onBegin } = this.#options;
    const operation = await resources.get(Operation, key);
    if (operation === undefined || hasEnded(operation)) return;
    if (operation.status?.startTime === undefined) await onBegin?.();
    const steps = [...this.#steps.values()];
    const noted = {
      planned,
      steps,
      ...(this.#message === undefined ? {} : { message: this.#message }),
      ...(this.#end ? { end: this.#end } : {}),
    };
    const status = operationStatus(operation.status, noted, clock.nowMs());
    if (canonicalJson({ ...operation.status, ...status }) !== canonicalJson(operation.status)) await patchOperation(resources, key, status);
  }
}

/** Writes a status. A deleted operation is ignored. */
export async function patchOperation(
  resources: Resources,
  { namespace, name }: Key & { readonly namespace: string },
  status: object,
): Promise<void> {
  try {
    await resources.patch(Operation, { namespace, name }, { status }, { subresource: 'status' });
  } catch (error) {
    if (!isTapError(error, 'TAP_OBJECT_NOT_FOUND')) throw error;
  }
}
