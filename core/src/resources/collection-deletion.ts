import { setImmediate as turn } from 'node:timers/promises';
import { isTapError, TapError } from '@tappaas/sdk';
import type { DeleteOptions, EngineError, Target } from '../ports/engine.js';
import { remove } from './deletion.js';
import type { EngineState } from './engine-state.js';
import type { Found } from './registry.js';
import type { StoredObject } from './stored-object.js';
import type { WriteOptions } from './write-options.js';

/** Maximum number of concurrent deletions in a collection. */
const deletesAtOnceMax = 16;
/** Objects processed before yielding to other requests. */
const objectsPerTurn = 64;

/** A delete of many objects of one kind. */
export interface CollectionDeletion {
  readonly found: Found;
  readonly targets: readonly Target[];
  readonly options: WriteOptions;
  readonly deletion: DeleteOptions;
}

/**
 * Deletes all objects, or none when any of them may not be deleted: every object goes through a dry run first. A refusal after that,
 * because an object changed meanwhile, ends the deletion: nothing more is deleted once this has thrown, and the message says how many
 * objects were deleted. Objects that are already gone are skipped.
 *
 * @throws what `remove` throws, with the number of deleted objects in its message
 */
export async function removeAll(state: EngineState, { targets, ...shared }: CollectionDeletion): Promise<readonly StoredObject[]> {
  const removed: StoredObject[] = [];
  const removeOne = async (target: Target, options: WriteOptions): Promise<StoredObject | undefined> =>
    (await remove(state, { ...shared, target, options }).catch(unlessGone))?.stored;
  try {
    if (!shared.options.dryRun) await tryAll(targets, (target) => removeOne(target, { ...shared.options, dryRun: true }));
    await forEach(targets, async (target) => {
      const stored = await removeOne(target, shared.options);
      if (stored) removed.push(stored);
    });
  } catch (error) {
    throw isTapError(error) ? withNumber(error, removed.length, targets.length) : error;
  }
  return removed;
}

/** Dry-runs all deletions. A plugin that does not support dry runs is called only for the actual deletion. */
async function tryAll(targets: readonly Target[], tryOne: (target: Target) => Promise<unknown>): Promise<void> {
  await forEach(targets, tryOne).catch((error: unknown) => {
    if (!isTapError(error, 'TAP_ADMISSION_DRY_RUN_REFUSED')) throw error;
  });
}

/** Processes several targets concurrently until one fails, and throws that failure once none is in progress. */
async function forEach(targets: readonly Target[], work: (target: Target) => Promise<unknown>): Promise<void> {
  const line = targets.entries();
  let failure: { readonly error: unknown } | undefined;
  const worker = async (): Promise<void> => {
    for (const [index, target] of line) {
      if (index % objectsPerTurn === objectsPerTurn - 1) await turn();
      if (failure) return;
      try {
        await work(target);
      } catch (error) {
        failure ??= { error };
      }
    }
  };
  await Promise.all(Array.from({ length: deletesAtOnceMax }, worker));
  if (failure) throw failure.error;
}

function withNumber(error: TapError, removed: number, selected: number): Error {
  const { code, spec, cause, field, retryAfterMs, data, plugin } = error;
  const { causes, about } = error as Partial<EngineError>;
  const details = { cause, data, ...(field !== undefined && { field }), ...(retryAfterMs !== undefined && { retryAfterMs }) };
  const message = `${error.message}; ${removed} of the ${selected} selected objects were deleted`;
  return Object.assign(new TapError(code, spec, { ...details, message }), { plugin, ...(causes && { causes }), ...(about && { about }) });
}

function unlessGone(error: unknown): undefined {
  if (isTapError(error, 'TAP_OBJECT_NOT_FOUND')) return undefined;
  throw error;
}
