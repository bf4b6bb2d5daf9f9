import type { Immutable, KubernetesObject } from '@tappaas/sdk';
import { inWaves, releaseTaskKind } from './apply-order.js';
import type { Intent } from './intent.js';
import { inventoryByKey, ownershipStateOf, type InventoryEntry, type Ownership } from './inventory.js';
import { isAsIntended } from './live-match.js';
import { refKey, refText, type ObjectRef } from './object-ref.js';
import { isReleaseTask } from './release-task.js';

export type Live = Immutable<KubernetesObject> | undefined;

export interface PlanFacts {
  readonly inventory: readonly InventoryEntry[];
  /** Returns the live object of an intent or inventory entry, with our manager's managed fields. */
  readonly live: (ref: ObjectRef) => Live;
  readonly ownership: Ownership;
  readonly manager: string;
  /** Returns whether an object stays although it is no longer desired. Default: none stay. */
  readonly keeps?: (ref: ObjectRef) => boolean;
}

/** The action for one intent. */
export type IntentStep =
  | { readonly do: 'skip'; readonly intent: Intent; readonly uid: string }
  /** `over` is the live object; undefined for a new one. */
  | { readonly do: 'apply'; readonly intent: Intent; readonly over: Live }
  /** The existing object is terminating; it is recreated once it is gone. */
  | { readonly do: 'await'; readonly intent: Intent }
  | { readonly do: 'refuse'; readonly intent: Intent; readonly reason: 'ForeignObject' | 'OwnedByAnother'; readonly message: string };

/** The action for an entry that is no longer desired. */
export type PruneStep =
  | { readonly do: 'delete'; readonly entry: InventoryEntry; readonly uid: string }
  /** It is terminating already. */
  | { readonly do: 'await'; readonly entry: InventoryEntry }
  /** It is gone, or the existing object is not ours: remove only the entry. */
  | { readonly do: 'forget'; readonly entry: InventoryEntry };

/** All actions, planned in advance: a pure function of intents and facts. */
export interface ApplyPlan {
  readonly waves: readonly (readonly IntentStep[])[];
  readonly pruneWaves: readonly (readonly PruneStep[])[];
  /** The inventory to store before the first apply: everything that is or may come to be on the cluster. */
  readonly inventory: readonly InventoryEntry[];
  readonly refused: readonly Extract<IntentStep, { do: 'refuse' }>[];
  /** Nothing has to be written to the cluster. */
  readonly isSettled: boolean;
}

export function planApply(intents: readonly Intent[], facts: PlanFacts): ApplyPlan {
  const entries = inventoryByKey(facts.inventory);
  const steps = intents.map((intent) => planIntent(intent, entries.get(intent.key), facts));
  const wished = new Set(intents.map(({ key }) => key));
  const unwished = facts.inventory.filter((entry) => !wished.has(refKey(entry)));
  const left = unwished.filter((entry) => facts.keeps?.(entry) === true && facts.live(entry) !== undefined);
  const prunes = unwished.filter((entry) => !left.includes(entry)).map((entry) => planPrune(entry, facts));
  const refused = steps.filter((step) => step.do === 'refuse');
  const named = steps.filter((step) => step.do !== 'refuse').map(({ intent }) => entryBefore(intent, entries.get(intent.key), facts));
  const kept = prunes.filter((step) => step.do !== 'forget').map(({ entry }) => entry);
  return {
    waves: inWaves(steps, ({ intent }) => (isReleaseTask(intent.object) ? releaseTaskKind : intent.ref.kind), 'apply'),
    pruneWaves: inWaves(prunes, ({ entry }) => entry.kind, 'delete'),
    inventory: [...named, ...kept, ...left],
    refused,
    isSettled: steps.every((step) => step.do === 'skip') && prunes.length === 0,
  };
}

export function planIntent(intent: Intent, entry: InventoryEntry | undefined, { live, ownership, manager }: PlanFacts): IntentStep {
  const over = live(intent.ref);
  if (over === undefined) return { do: 'apply', intent, over };
  const standing = ownershipStateOf(over, entry, ownership);
  if (standing.is === 'foreign') {
    const message = `${refText(intent.ref)} is there already and was not made by this platform: rename it, delete it, or choose another name`;
    return { do: 'refuse', intent, reason: 'ForeignObject', message };
  }
  if (standing.is === 'another') {
    const message = `${refText(intent.ref)} belongs to another object of this platform (uid ${standing.owner}): choose another name`;
    return { do: 'refuse', intent, reason: 'OwnedByAnother', message };
  }
  const { uid, deletionTimestamp } = over.metadata;
  if (deletionTimestamp !== undefined) return { do: 'await', intent };
  const isSame = entry?.intentHash === intent.hash && uid !== undefined && entry.uid === uid && isAsIntended(intent.object, over, manager);
  return isSame ? { do: 'skip', intent, uid } : { do: 'apply', intent, over };
}

function planPrune(entry: InventoryEntry, { live, ownership }: PlanFacts): PruneStep {
  const object = live(entry);
  const uid = object?.metadata.uid;
  if (object === undefined || uid === undefined) return { do: 'forget', entry };
  const isOurs = entry.uid === undefined ? ownershipStateOf(object, entry, ownership).is === 'ours' : entry.uid === uid;
  if (!isOurs) return { do: 'forget', entry };
  return object.metadata.deletionTimestamp === undefined ? { do: 'delete', entry, uid } : { do: 'await', entry };
}

/** Keeps the recorded hash until the new intent is applied, so that a crash in between shows up as a difference. */
function entryBefore(intent: Intent, entry: InventoryEntry | undefined, { live }: PlanFacts): InventoryEntry {
  const { uid } = live(intent.ref)?.metadata ?? {};
  const isKnown = entry?.uid !== undefined && entry.uid === uid;
  return {
    ...intent.ref,
    ...(uid === undefined ? {} : { uid }),
    ...(isKnown && entry.intentHash !== undefined ? { intentHash: entry.intentHash } : {}),
  };
}
