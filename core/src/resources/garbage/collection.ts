import type { DeleteOptions } from '../../ports/engine.js';
import { amend, withoutFinalizer } from '../amendment.js';
import { foregroundFinalizer, orphanFinalizer, remove } from '../deletion.js';
import type { EngineState } from '../engine-state.js';
import type { Body, OwnerReference } from '../stored-object.js';
import type { WriteOptions } from '../write-options.js';
import { allDependentsOf, dependentsOf, ownersOf, type Located } from './owners.js';

/** Collects one object: deletes it or its dependents if that is due. */
export async function collect(state: EngineState, located: Located, options: WriteOptions): Promise<void> {
  const { deletionTimestamp, finalizers = [] } = located.stored.object.metadata;
  if (deletionTimestamp === undefined) return followOwners(state, located, options);
  if (finalizers.includes(orphanFinalizer)) return orphanDependents(state, located, options.signal);
  if (finalizers.includes(foregroundFinalizer)) return awaitDependents(state, located, options);
}

/** Deletes an object once all its owners are gone; while some remain, removes the references to those that are gone. */
async function followOwners(state: EngineState, located: Located, options: WriteOptions): Promise<void> {
  const { object } = located.stored;
  if ((object.metadata.ownerReferences ?? []).length === 0) return;
  const { solid, waiting, absent } = await ownersOf(state, object, options.signal);
  if (waiting.length + absent.length === 0) return;
  if (solid.length > 0) return dropOwners(state, located, [...waiting, ...absent]);
  const hasDependents = dependentsOf(state, object.metadata.uid).length > 0;
  const { finalizers = [] } = object.metadata;
  const policy = finalizers.includes(orphanFinalizer) ? 'Orphan' : waiting.length > 0 && hasDependents ? 'Foreground' : 'Background';
  await deleteIt(state, located, policy, options);
}

async function dropOwners(state: EngineState, { entry, key, stored }: Located, owners: readonly OwnerReference[]): Promise<void> {
  const dropped = new Set(owners.map(({ uid }) => uid));
  await amend(state, entry, key, stored.object.metadata.uid, (object) => withoutOwners(object, dropped));
}

function withoutOwners(object: Body, uids: ReadonlySet<string>): Body | undefined {
  const { ownerReferences = [], ...metadata } = object.metadata;
  const rest = ownerReferences.filter(({ uid }) => !uids.has(uid));
  if (rest.length === ownerReferences.length) return undefined;
  return { ...object, metadata: { ...metadata, ...(rest.length > 0 && { ownerReferences: rest }) } };
}

/** Removes the owner references of all dependents before the object goes, so that they are not collected. */
async function orphanDependents(state: EngineState, { entry, key, stored }: Located, signal: AbortSignal): Promise<void> {
  const { uid } = stored.object.metadata;
  const own = new Set([uid]);
  for (const dependent of await allDependentsOf(state, uid, signal)) {
    await amend(state, dependent.entry, dependent.key, dependent.stored.object.metadata.uid, (object) => withoutOwners(object, own));
  }
  await amend(state, entry, key, uid, (object) => withoutFinalizer(object, orphanFinalizer));
}

/** Deletes all dependents, and releases the object once no dependent blocks its deletion. */
async function awaitDependents(state: EngineState, { entry, key, stored }: Located, options: WriteOptions): Promise<void> {
  const { uid } = stored.object.metadata;
  const dependents = await allDependentsOf(state, uid, options.signal);
  const isHeld = dependents.some(({ stored: { object } }) => holds(object, uid));
  if (!isHeld) return amend(state, entry, key, uid, (object) => withoutFinalizer(object, foregroundFinalizer));
  for (const dependent of dependents) {
    if (dependent.stored.object.metadata.deletionTimestamp === undefined) await followOwners(state, dependent, options);
  }
}

const holds = (object: Body, ownerUid: string): boolean =>
  (object.metadata.ownerReferences ?? []).some(({ uid, blockOwnerDeletion }) => uid === ownerUid && blockOwnerDeletion === true);

async function deleteIt(
  state: EngineState,
  { entry, stored }: Located,
  propagationPolicy: NonNullable<DeleteOptions['propagationPolicy']>,
  options: WriteOptions,
): Promise<void> {
  const { name, namespace, uid } = stored.object.metadata;
  const target = { kind: entry.hub.served, name, ...(namespace !== undefined && { namespace }) };
  const deletion = { propagationPolicy, preconditions: { uid } };
  await remove(state, { found: { entry, version: entry.hub }, target, options, deletion }).catch(unlessAnother);
}

/** Ignores errors that mean the object is gone or another one has its name. */
function unlessAnother(error: unknown): void {
  const { code } = error as { readonly code?: string };
  if (code !== 'TAP_OBJECT_NOT_FOUND' && code !== 'TAP_OBJECT_CONFLICT') throw error;
}
