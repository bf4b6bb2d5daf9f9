import type { Awaitable, Clock, KeyValue, ResourceStore } from '@tappaas/sdk';
import type { Admission } from '../ports/admission.js';
import { resourceErrors } from './errors.js';
import type { KeySpace } from './key-space.js';
import type { KindEntry } from './kind-entry.js';
import type { LeaseShelf } from './lease-shelf.js';
import type { ObjectCache } from './object-cache.js';
import type { Registry } from './registry.js';
import type { Sealer, StoredObject } from './stored-object.js';
import type { WriteHandoff } from './write-handoff.js';

/** What the parts of one engine share. */
export interface EngineState {
  readonly name: string;
  readonly store: ResourceStore;
  readonly clock: Clock;
  readonly keys: KeySpace;
  readonly admission: Admission;
  readonly sealer: Sealer | undefined;
  /** For records that go by themselves. */
  readonly leases: LeaseShelf;
  readonly handoff: WriteHandoff;
  /** Between 0 and 1. */
  readonly random: () => number;
  /** A new uid. */
  readonly uuid: () => string;
  /** The kinds as of now; a reload replaces them, so hold on to what a request began with. */
  readonly registry: () => Registry;
  /** Hears that the kinds were replaced; answers how to leave. */
  readonly onKinds: (listener: () => void) => () => void;
  /** The cache of a stored kind. */
  readonly cache: (entry: KindEntry) => ObjectCache;
  /** Says whether an object may never be deleted. */
  readonly protects: (entry: KindEntry, name: string) => boolean;
  /** An object as the store gave it, unsealed where need be. */
  readonly decode: (entry: KindEntry, stored: KeyValue) => Awaitable<StoredObject>;
}

/** A cache that has all that was acknowledged before the call. */
export async function caughtUp(state: EngineState, entry: KindEntry, signal: AbortSignal): Promise<ObjectCache> {
  const cache = state.cache(entry);
  const revision = await state.store.currentRevision();
  if (cache.revision < revision) await cache.waitFor(revision, signal);
  return cache;
}

/**
 * The newest state of an object that is known without asking: what was written here a moment ago, or else what the cache shows. A write
 * on top of it holds its revision as a condition, so that it does no harm when it is not the newest.
 */
export function newestKnown({ cache, handoff }: EngineState, entry: KindEntry, key: string): StoredObject | undefined {
  const known = cache(entry);
  return handoff.after(known.revision, key) ?? known.get(key)?.object;
}

/** @throws TAP_OBJECT_UNKNOWN_VERSION for a version that the store has not reached: it cannot have been given out */
export async function refuseFuture(store: ResourceStore, revision: number, resourceVersion: string): Promise<void> {
  if (revision <= (await store.currentRevision())) return;
  throw resourceErrors.TAP_OBJECT_UNKNOWN_VERSION({ message: `resourceVersion ${resourceVersion} does not exist yet` });
}
