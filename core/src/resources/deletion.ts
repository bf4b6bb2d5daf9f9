import type { DeleteOptions, Target } from '../ports/engine.js';
import { caughtUp, type EngineState } from './engine-state.js';
import { resourceErrors } from './errors.js';
import { attemptsMax, fenced } from './mutation.js';
import { denied } from './refusal.js';
import type { Found } from './registry.js';
import { isRemovable } from './removal.js';
import { StoredObject, type Body, type ObjectMeta } from './stored-object.js';
import { checkPreconditions } from './modification.js';
import { keyOfTarget, label, nameOf, notFound } from './target.js';
import { takeStep } from './transaction.js';
import type { WriteOptions } from './write-options.js';

/** Finalizers through which a delete requests orphaning or foreground deletion from the garbage collector. */
export const orphanFinalizer = 'orphan';
export const foregroundFinalizer = 'foregroundDeletion';

/** A delete of one object. */
export interface Deletion {
  readonly found: Found;
  readonly target: Target;
  readonly options: WriteOptions;
  readonly deletion: DeleteOptions;
}

/** Result of a delete: the object is gone, is terminating now, or was terminating already without anything to change. */
export interface Deleted {
  readonly outcome: 'deleted' | 'deleting' | 'unchanged';
  readonly stored: StoredObject;
}

/**
 * Deletes an object, or marks it for deletion while it has finalizers. @throws TAP_OBJECT_NOT_FOUND, TAP_OBJECT_CONFLICT, TAP_OBJECT_DENIED
 */
export async function remove(state: EngineState, deletion: Deletion): Promise<Deleted> {
  const { found, target, options } = deletion;
  const { entry } = found;
  const key = keyOfTarget(found, target);
  if (state.protects(entry, nameOf(target))) {
    throw resourceErrors.TAP_OBJECT_FORBIDDEN({
      message: `${label(entry, nameOf(target))}: the platform needs it, so it may not be deleted`,
    });
  }
  let previous = (await caughtUp(state, entry, options.signal)).get(key)?.object;
  for (let attempt = 0; attempt < attemptsMax; attempt += 1) {
    options.signal.throwIfAborted();
    if (previous === undefined) throw notFound(found, nameOf(target));
    refuseMismatch(deletion, previous);
    const next = marked(state, deletion, previous.object);
    if (next === previous.object) return { outcome: 'unchanged', stored: previous };
    if (previous.object.metadata.deletionTimestamp === undefined) await ask(state, deletion, previous);
    const isGone = isRemovable(entry, next);
    const outcome = isGone ? 'deleted' : 'deleting';
    if (options.dryRun) return { outcome, stored: new StoredObject({ object: next }, previous.revision, state.store.epoch, previous.side) };
    const side = previous.side;
    const guards = options.guards ?? [];
    const step = { entry, key, previous, next: isGone ? undefined : { object: next, side }, claims: [], guards, changes: [] };
    const result = await takeStep(state, step);
    if (result.outcome === 'done') return { outcome, stored: state.handoff.written(key, next, side, result.revision, state.store.epoch) };
    if (result.outcome === 'refused') throw fenced(entry, nameOf(target));
    previous = result.current && (await state.decode(entry, result.current));
  }
  const message = `${label(entry, nameOf(target))}: others changed it ${attemptsMax} times meanwhile`;
  throw resourceErrors.TAP_REQUEST_CONTENDED({ message });
}

function refuseMismatch({ found, options, deletion }: Deletion, previous: StoredObject): void {
  checkPreconditions(found, options, previous);
  const { uid, resourceVersion } = deletion.preconditions ?? {};
  const { name, uid: foundUid } = previous.object.metadata;
  const refuse = (field: string, expected: string | undefined, actual: string): void => {
    if (expected === undefined || expected === actual) return;
    const message = `${label(found.entry, name)}: precondition failed: ${field} in precondition: ${expected}, ${field} in object: ${actual}`;
    throw resourceErrors.TAP_OBJECT_CONFLICT({ message, field: `metadata.${field}` });
  };
  refuse('uid', uid, foundUid);
  refuse('resourceVersion', resourceVersion, previous.resourceVersion);
}

/** Returns the object marked for deletion; the same object when nothing changes. */
function marked(state: EngineState, { found, deletion }: Deletion, object: Body): Body {
  const { entry } = found;
  const finalizers = finalizersFor(object.metadata, deletion.propagationPolicy);
  const graceSeconds = graceOf(entry.strategy.graceSeconds?.(object, deletion.gracePeriodSeconds) ?? 0, object.metadata);
  const isBegun = object.metadata.deletionTimestamp !== undefined;
  const isSameGrace = graceSeconds === (object.metadata.deletionGracePeriodSeconds ?? 0);
  if (isBegun && isSameGrace && finalizers === object.metadata.finalizers) return object;
  const { finalizers: _, ...metadata } = object.metadata;
  const { generation } = metadata;
  const next: Body = {
    ...object,
    metadata: {
      ...metadata,
      ...(generation !== undefined && !isBegun && { generation: generation + 1 }),
      deletionTimestamp: timeText(begunMs(state, object.metadata) + graceSeconds * 1000),
      deletionGracePeriodSeconds: graceSeconds,
      ...(finalizers && finalizers.length > 0 && { finalizers }),
    },
  };
  return (isBegun ? next : (entry.strategy.onDelete?.(next) ?? next)) as Body;
}

const timeText = (ms: number): string => `${new Date(ms).toISOString().slice(0, 19)}Z`;

/** When the deletion began: now, or at the first delete request. */
function begunMs(state: EngineState, { deletionTimestamp, deletionGracePeriodSeconds = 0 }: ObjectMeta): number {
  return deletionTimestamp === undefined ? state.clock.nowMs() : Date.parse(deletionTimestamp) - deletionGracePeriodSeconds * 1000;
}

/** A second delete may shorten the grace period, never lengthen it. */
function graceOf(graceSeconds: number, { deletionTimestamp, deletionGracePeriodSeconds = 0 }: ObjectMeta): number {
  return deletionTimestamp === undefined ? graceSeconds : Math.min(graceSeconds, deletionGracePeriodSeconds);
}

function finalizersFor(metadata: ObjectMeta, policy: DeleteOptions['propagationPolicy']): readonly string[] | undefined {
  const present = metadata.finalizers ?? [];
  const wanted = policy === 'Orphan' ? [orphanFinalizer] : policy === 'Foreground' ? [foregroundFinalizer] : [];
  const hasAll = wanted.every((name) => present.includes(name));
  const isPlain = policy === undefined || (hasAll && !present.some((name) => isPropagation(name) && !wanted.includes(name)));
  if (isPlain) return metadata.finalizers;
  return [...present.filter((name) => !isPropagation(name)), ...wanted];
}

const isPropagation = (name: string): boolean => name === orphanFinalizer || name === foregroundFinalizer;

/** Asks taps that registered for deletes, which may deny one. */
async function ask(state: EngineState, { found, options }: Deletion, previous: StoredObject): Promise<void> {
  const { entry } = found;
  const denials = await state.admission.validate({
    engine: state.name,
    group: entry.group,
    kind: entry.kind,
    isConfidential: entry.isConfidential,
    operation: 'delete',
    caller: options.caller,
    dryRun: options.dryRun,
    object: previous.object,
    requestId: options.requestId,
    signal: options.signal,
  });
  if (denials.length > 0) throw denied(entry, previous.object, denials);
}
