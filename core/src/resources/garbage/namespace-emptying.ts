import { amend } from '../amendment.js';
import { remove } from '../deletion.js';
import { caughtUp, type EngineState } from '../engine-state.js';
import type { KindEntry } from '../kind-entry.js';
import { objectKey } from '../key-space.js';
import { contentFinalizer, finalizersOf } from '../kinds/namespace.js';
import { equalJson, isJsonObject, type JsonObject } from '../schema/json-value.js';
import type { Body } from '../stored-object.js';
import type { WriteOptions } from '../write-options.js';
import { storedKinds, type Located } from './owners.js';

/** Objects deleted per run; the deletions themselves trigger the next run. */
const deletesPerRunMax = 500;

/** The remaining objects of a kind in a namespace. */
interface Rest {
  readonly entry: KindEntry;
  readonly count: number;
  readonly finalizers: ReadonlySet<string>;
}

/**
 * Deletes the content of a terminating namespace, and releases the namespace when nothing is left. Nothing can be created in it meanwhile,
 * because a create is guarded by the state of its namespace.
 */
export async function emptyNamespace(state: EngineState, { entry, key, stored }: Located, options: WriteOptions): Promise<void> {
  const { name, uid, deletionTimestamp } = stored.object.metadata;
  if (deletionTimestamp === undefined || finalizersOf(stored.object).length === 0) return;
  const kinds = storedKinds(state).filter(({ isNamespaced }) => isNamespaced);
  await Promise.all(kinds.map((kind) => caughtUp(state, kind, options.signal)));
  const rests: Rest[] = [];
  let budget = deletesPerRunMax;
  for (const kind of kinds) {
    const items = state
      .cache(kind)
      .list({ within: objectKey(kind.prefix, name, '') })
      .items.map(({ object }) => object.object);
    if (items.length === 0) continue;
    const finalizers = new Set(items.flatMap(({ metadata }) => metadata.finalizers ?? []));
    rests.push({ entry: kind, count: items.length, finalizers });
    const going = items.filter(({ metadata }) => metadata.deletionTimestamp === undefined).slice(0, budget);
    budget -= going.length;
    for (const object of going) await deleteContent(state, kind, object, options);
  }
  const time = `${new Date(state.clock.nowMs()).toISOString().slice(0, 19)}Z`;
  if (rests.length > 0) return amend(state, entry, key, uid, (object) => withConditions(object, rests, time));
  await amend(state, entry, key, uid, withoutContentFinalizer);
}

async function deleteContent(state: EngineState, entry: KindEntry, object: Body, options: WriteOptions): Promise<void> {
  const { name, namespace, uid } = object.metadata;
  const target = { kind: entry.hub.served, name, ...(namespace !== undefined && { namespace }) };
  const deletion = { propagationPolicy: 'Background', preconditions: { uid } } as const;
  await remove(state, { found: { entry, version: entry.hub }, target, options, deletion }).catch((error: unknown) => {
    const { code } = error as { readonly code?: string };
    if (code !== 'TAP_OBJECT_NOT_FOUND' && code !== 'TAP_OBJECT_CONFLICT') throw error;
  });
}

function withoutContentFinalizer(namespace: Body): Body | undefined {
  const finalizers = finalizersOf(namespace).filter((finalizer) => finalizer !== contentFinalizer);
  return { ...namespace, spec: finalizers.length > 0 ? { finalizers } : {} };
}

/** Sets the conditions that say what the namespace still waits for; undefined when they are set already. */
function withConditions(namespace: Body, rests: readonly Rest[], time: string): Body | undefined {
  const status = isJsonObject(namespace['status']) ? namespace['status'] : {};
  const before = Array.isArray(status['conditions']) ? (status['conditions'] as readonly JsonObject[]) : [];
  const content = rests.map(({ entry, count }) => `${nameOf(entry)} has ${count} resource instances`).join(', ');
  const finalizers = [...new Set(rests.flatMap((rest) => [...rest.finalizers]))].sort();
  const conditions = [
    condition('NamespaceContentRemaining', 'SomeResourcesRemain', `Some resources are remaining: ${content}`, true),
    condition(
      'NamespaceFinalizersRemaining',
      'SomeFinalizersRemain',
      `Some content in the namespace has finalizers remaining: ${finalizers.join(', ')}`,
      finalizers.length > 0,
    ),
  ].map((next) => timed(next, before, time));
  if (equalJson(before, conditions)) return undefined;
  return { ...namespace, status: { ...status, conditions } };
}

const nameOf = ({ plural, group }: KindEntry): string => (group === '' ? plural : `${plural}.${group}`);

function condition(type: string, reason: string, message: string, holds: boolean): JsonObject {
  if (holds) return { type, status: 'True', reason, message };
  return { type, status: 'False', reason: 'ContentRemoved', message: 'Nothing of that sort is left' };
}

function timed(next: JsonObject, before: readonly JsonObject[], time: string): JsonObject {
  const same = before.find(({ type, status }) => type === next['type'] && status === next['status']);
  return { ...next, lastTransitionTime: same?.['lastTransitionTime'] ?? time };
}
