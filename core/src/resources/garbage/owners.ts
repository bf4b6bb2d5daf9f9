import { foregroundFinalizer } from '../deletion.js';
import { caughtUp, type EngineState } from '../engine-state.js';
import type { KindEntry } from '../kind-entry.js';
import { objectKey } from '../key-space.js';
import { indexNames } from '../object-cache.js';
import type { Body, OwnerReference, StoredObject } from '../stored-object.js';

/** An object and its location. */
export interface Located {
  readonly entry: KindEntry;
  readonly key: string;
  readonly stored: StoredObject;
}

/** The owners of an object by state. */
export interface Owners {
  /** Owners that exist, or whose absence cannot be established. */
  readonly solid: readonly OwnerReference[];
  /** Owners that exist and wait for their dependents to go. */
  readonly waiting: readonly OwnerReference[];
  /** Owners that do not exist: no object has the name, or one with another uid. */
  readonly absent: readonly OwnerReference[];
}

/** Classifies the owners of an object. An owner missing from the cache is looked up again once the cache has caught up. */
export async function ownersOf(state: EngineState, object: Body, signal: AbortSignal): Promise<Owners> {
  const owners = { solid: [] as OwnerReference[], waiting: [] as OwnerReference[], absent: [] as OwnerReference[] };
  for (const reference of object.metadata.ownerReferences ?? []) owners[await standingOf(state, object, reference, signal)].push(reference);
  return owners;
}

async function standingOf(state: EngineState, object: Body, reference: OwnerReference, signal: AbortSignal): Promise<keyof Owners> {
  const place = placeOf(state, object, reference);
  if (place === undefined) return 'solid';
  const { entry, key } = place;
  const known = state.cache(entry).get(key)?.object;
  const owner = isIt(known, reference) ? known : (await caughtUp(state, entry, signal)).get(key)?.object;
  if (!isIt(owner, reference)) return 'absent';
  return isWaiting(owner) ? 'waiting' : 'solid';
}

/** Whether all owners exist and are not waiting, judged cheaply from the caches as they are. */
export function hasSolidOwners(state: EngineState, object: Body): boolean {
  return (object.metadata.ownerReferences ?? []).every((reference) => {
    const place = placeOf(state, object, reference);
    if (place === undefined) return true;
    const owner = state.cache(place.entry).get(place.key)?.object;
    return isIt(owner, reference) && !isWaiting(owner);
  });
}

/**
 * Returns where an owner would be; undefined when this engine does not serve its kind: owners never cross engines, and an owner that cannot
 * be looked up is not assumed to be gone. The same applies to a cluster-scoped object that names a namespaced owner.
 */
export function placeOf(
  state: EngineState,
  object: Body,
  { apiVersion, kind, name }: OwnerReference,
): { readonly entry: KindEntry; readonly key: string } | undefined {
  const group = apiVersion.includes('/') ? apiVersion.slice(0, apiVersion.indexOf('/')) : '';
  const entry = state.registry().ofKind(group, kind);
  if (entry === undefined || entry.virtual) return undefined;
  const { namespace } = object.metadata;
  if (!entry.isNamespaced) return { entry, key: objectKey(entry.prefix, undefined, name) };
  return namespace === undefined ? undefined : { entry, key: objectKey(entry.prefix, namespace, name) };
}

const isIt = (owner: StoredObject | undefined, reference: OwnerReference): owner is StoredObject =>
  owner?.lean.metadata.uid === reference.uid;

function isWaiting({ lean }: StoredObject): boolean {
  const { deletionTimestamp, finalizers = [] } = lean.metadata;
  return deletionTimestamp !== undefined && finalizers.includes(foregroundFinalizer);
}

/** Returns all cached objects that name `uid` among their owners. */
export function dependentsOf(state: EngineState, uid: string): readonly Located[] {
  return storedKinds(state).flatMap((entry) => {
    const { items } = state.cache(entry).list({ within: entry.prefix, where: [{ index: indexNames.owner, values: [uid] }] });
    return items.map(({ key, object }) => ({ entry, key, stored: object }));
  });
}

/** As {@link dependentsOf}, once every cache contains everything acknowledged before. */
export async function allDependentsOf(state: EngineState, uid: string, signal: AbortSignal): Promise<readonly Located[]> {
  await Promise.all(storedKinds(state).map((entry) => caughtUp(state, entry, signal)));
  return dependentsOf(state, uid);
}

/** The kinds that can have stored objects. */
export const storedKinds = (state: EngineState): readonly KindEntry[] =>
  state.registry().entries.filter(({ virtual }) => virtual === undefined);
