import { isTapError, type Clock, type Key, type Resources } from '@tappaas/sdk';
import { Operation, type OperationObject } from '@tappaas/sdk/kinds';
import type { Immutable } from '@tappaas/sdk';
import { canonicalJson } from '../../reconcile/canonical.js';
import { operationStatus, type NotedStep, type OperationEnd } from './operation-steps.js';

/** Says whether nothing more will become of an operation. */
export const hasEnded = (operation: Immutable<OperationObject>): boolean => operation.status?.completionTime !== undefined;

export interface OperationNotesOptions {
  readonly resources: Resources;
  readonly key: Key & { readonly namespace: string };
  /** Steps that the operation will have, in order. */
  readonly planned: readonly string[];
  readonly clock: Clock;
  /** Called before the first write of an operation that nobody worked on before. */
  readonly onBegin?: () => Promise<void>;
}

/** Progress waits this long for more of it: a quick run goes through all its steps meanwhile. */
const gatherMs = 200;

/**
 * What is noted about one operation, on its way into its status: one write at a time, which takes everything that was noted until it
 * begins. An operation that has ended, or that is gone, is never written.
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

  /** A step is so far; stored together with what comes soon. @returns when it is stored */
  progress(step: string, percent: number): Promise<void> {
    const nowMs = this.#options.clock.nowMs();
    this.#steps.set(step, { name: step, percent, firstMs: this.#steps.get(step)?.firstMs ?? nowMs, lastMs: nowMs });
    return this.#note();
  }

  /** What the operation waits for, or how it ended. @returns when it is stored */
  tell({ message, end }: { readonly message?: string; readonly end?: OperationEnd }): Promise<void> {
    this.#message = message;
    this.#end = end;
    const stored = this.#note();
    this.#hurry();
    return stored;
  }

  /** Stores what was noted, without waiting for more; a failure was told to whoever noted it. */
  async settled(): Promise<void> {
    this.#hurry();
    await this.#writing?.catch(() => undefined);
  }

  #hurry(): void {
    this.#isUrgent = true;
    this.#gathering?.abort('it is to be stored now');
  }

  #note(): Promise<void> {
    this.#isNew = true;
    this.#writing ??= this.#write().finally(() => (this.#writing = undefined));
    return this.#writing;
  }

  async #write(): Promise<void> {
    // Notes of one turn belong together: what needs no time is one write.
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

/** Writes a status. An operation that was deleted is nobody's concern any more. */
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
