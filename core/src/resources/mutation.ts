import type { AdmissionOperation, Change, Guard, KeyValue } from '@tappaas/sdk';
import type { Target } from '../ports/engine.js';
import { ignoringTimes } from './apply/field-manager.js';
import { beginOperation, operationOf } from './begun-operation.js';
import { caughtUp, type EngineState } from './engine-state.js';
import { resourceErrors } from './errors.js';
import { prepare, type Prepared } from './preparation.js';
import type { Found } from './registry.js';
import { isRemovable } from './removal.js';
import { equalJson, type JsonObject } from './schema/json-value.js';
import { StoredObject, type Body, type Side } from './stored-object.js';
import { label } from './target.js';
import { heldOf, takeStep, type StepResult } from './transaction.js';
import type { WriteOptions } from './write-options.js';

/** A change of one object, recomputed from the current state whenever another write was faster. */
export interface Mutation {
  readonly found: Found;
  readonly key: string;
  readonly name: string;
  readonly operation: Exclude<AdmissionOperation, 'delete' | 'metadata'>;
  readonly options: WriteOptions;
  /** The state of the object when the write began. */
  readonly previous: StoredObject | undefined;
  /** Computes the desired object, in the stored version; throws errors for the caller. */
  readonly next: (previous: StoredObject | undefined) => Body | Promise<Body>;
  /** Records field ownership; receives the object with its defaults, before admission. */
  readonly own: (object: Body, previous: StoredObject | undefined) => Body;
  /** Further conditions, recomputed for each attempt. */
  readonly guards?: () => Promise<readonly Guard[]>;
  /** Called when a condition of `guards` no longer held: throws, or returns to retry the write. */
  readonly refused?: (guard: number) => Promise<void>;
  /** Records written in the same transaction. */
  readonly changes?: (result: Body) => Promise<readonly Change[]>;
}

/** The result of a mutation, in the stored version. */
export interface Mutated {
  readonly outcome: 'created' | 'updated' | 'unchanged';
  readonly stored: StoredObject;
  /** The Operation that the write began. */
  readonly operation?: Target;
}

/** Number of attempts before the caller receives a contention error. */
export const attemptsMax = 32;

/**
 * Runs a mutation until it is written, turns out to change nothing, or is refused.
 *
 * The first attempt starts from the cached state. A write based on an outdated state fails its guard and is retried; any other result (a
 * refusal, nothing to change) counts only once it was reached from the newest state.
 */
export async function mutate(state: EngineState, mutation: Mutation): Promise<Mutated> {
  const { found, key, options } = mutation;
  let { previous } = mutation;
  let isNewest = previous === undefined;
  const isOutdated = async (): Promise<boolean> => {
    if (isNewest) return false;
    isNewest = true;
    const newest = (await caughtUp(state, found.entry, options.signal)).get(key)?.object;
    const isOther = newest?.revision !== previous?.revision;
    previous = newest;
    return isOther;
  };
  for (let attempt = 0; attempt < attemptsMax; attempt += 1) {
    options.signal.throwIfAborted();
    try {
      const came = await attemptOnce(state, mutation, previous);
      if ('outcome' in came && (came.outcome !== 'unchanged' || !(await isOutdated()))) return came;
      if ('standing' in came) {
        previous = came.standing && (await state.decode(found.entry, came.standing));
        isNewest = true;
      }
    } catch (error) {
      if (!(await isOutdated())) throw error;
    }
  }
  const message = `${label(found.entry, mutation.name)}: others changed it ${attemptsMax} times meanwhile`;
  throw resourceErrors.TAP_REQUEST_CONTENDED({ message });
}

/** Result of one attempt: the final result, the newer state to start from instead, or a failed guard that must be recomputed. */
type Attempt = Mutated | { readonly standing: KeyValue | undefined } | { readonly refused: true };

async function attemptOnce(state: EngineState, mutation: Mutation, previous: StoredObject | undefined): Promise<Attempt> {
  const { epoch } = state.store;
  const prepared = await propose(state, mutation, previous);
  const { entry } = mutation.found;
  const { dryRun, requestId } = mutation.options;
  if (previous && isSame(prepared.object, previous.object)) return { outcome: 'unchanged', stored: previous };
  const outcome = previous ? 'updated' : 'created';
  const side = sideOf(state, mutation, prepared, previous);
  if (dryRun) return { outcome, stored: new StoredObject({ object: prepared.object }, previous?.revision, epoch, side) };
  const begun = beginOperation(state, entry, { object: prepared.object, previous: previous?.object, requestId });
  const object = begun?.object ?? prepared.object;
  const result = await write(
    state,
    mutation,
    previous,
    { object, side },
    { claims: prepared.claims, changes: begun ? [begun.change] : [] },
  );
  if (result.outcome === 'done') {
    const stored = state.handoff.written(mutation.key, object, side, result.revision, epoch);
    const operation = begun && operationOf(entry, object);
    return { outcome, stored, ...(operation && { operation }) };
  }
  return result.outcome === 'stale' ? { standing: result.current } : { refused: true };
}

async function propose(state: EngineState, mutation: Mutation, previous: StoredObject | undefined): Promise<Prepared> {
  const { found, operation, options, own } = mutation;
  return prepare(state.name, state.admission, {
    entry: found.entry,
    operation,
    options,
    previous,
    own,
    object: await mutation.next(previous),
  });
}

async function write(
  state: EngineState,
  mutation: Mutation,
  previous: StoredObject | undefined,
  next: { readonly object: Body; readonly side: Side },
  beside: { readonly claims: Prepared['claims']; readonly changes: readonly Change[] },
): Promise<StepResult> {
  const { entry } = mutation.found;
  const own = (await mutation.guards?.()) ?? [];
  const result = await takeStep(state, {
    entry,
    key: mutation.key,
    previous,
    next: isRemovable(entry, next.object) ? undefined : next,
    claims: beside.claims ?? [],
    guards: [...own, ...(mutation.options.guards ?? [])],
    changes: [...beside.changes, ...((await mutation.changes?.(next.object)) ?? [])],
  });
  if (result.outcome !== 'refused') return result;
  if (result.guard >= own.length) throw fenced(entry, mutation.name);
  await mutation.refused?.(result.guard);
  return result;
}

/** The error for a writer that lost its leadership, so that its decision is obsolete. */
export function fenced(entry: Found['entry'], name: string): Error {
  const message = `${label(entry, name)}: the writer's fence no longer holds, so nothing was written`;
  return resourceErrors.TAP_OBJECT_CONFLICT({ message });
}

function sideOf(state: EngineState, mutation: Mutation, prepared: Prepared, previous: StoredObject | undefined): Side {
  const time = new Date(state.clock.nowMs()).toISOString();
  const changes = prepared.changes.map(({ plugin, paths }) => ({ plugin, paths, operation: mutation.operation, time }));
  const plugins = new Set(changes.map(({ plugin }) => plugin));
  const before = (previous?.side.attribution ?? []).filter(({ plugin }) => !plugins.has(plugin));
  return {
    claims: prepared.claims ? heldOf(prepared.claims) : (previous?.side.claims ?? []),
    attribution: [...before, ...changes],
  };
}

/** Ignores the times of managed fields, so that a write that changes nothing else is not stored. */
function isSame(object: Body, previous: Body): boolean {
  // Cheapest first: most writes change something other than metadata.
  for (const name of Object.keys(object)) if (name !== 'metadata' && !equalJson(object[name], previous[name])) return false;
  const next = withoutVersion(object);
  const before = withoutVersion(previous);
  return equalJson(ignoringTimes(before, next), before);
}

function withoutVersion(object: Body): JsonObject {
  const { resourceVersion: _, ...metadata } = object.metadata;
  return { ...object, metadata };
}
