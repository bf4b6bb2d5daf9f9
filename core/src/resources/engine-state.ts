import type { Awaitable, Clock, KeyValue, ResourceStore } from '@tappaas/sdk';
import type { Admission } from '../ports/admission.js';
import { resourceErrors } from './errors.js';
import type { KeySpace } from './key-space.js';
import type { KindEntry } from './kind-entry.js';
import type { SharedLeases } from './shared-leases.js';
import type { ObjectCache } from './object-cache.js';
import type { Registry } from './registry.js';
import type { Sealer, StoredObject } from './stored-object.js';
import type { WriteHandoff } from './write-handoff.js';

/** State shared by the parts of one engine. */
export interface EngineState {
  readonly name: string;
  readonly store: ResourceStore;
  readonly clock: Clock;
  readonly keys: KeySpace;
  readonly admission: Admission;
  readonly sealer: Sealer | undefined;
  /** Leases for records that expire. */
  readonly leases: SharedLeases;
  readonly handoff: WriteHandoff;
  /** Between 0 and 1. */
  readonly random: () => number;
  /** Makes a new uid. */
  readonly uuid: () => string;
  /** Returns the current kinds. A reload replaces them, so a request must keep using those it began with. */
  readonly registry: () => Registry;
  /** Calls the listener when the kinds have been replaced; returns the function that unsubscribes it. */
  readonly onKinds: (listener: () => void) => () => void;
  /** The cache of a stored kind. */
  readonly cache: (entry: KindEntry) => ObjectCache;
  /** Whether an object must never be deleted. */
  readonly protects: (entry: KindEntry, name: string) => boolean;
  /** Decodes an object from the store, unsealing it if necessary. */
  readonly decode: (entry: KindEntry, stored: KeyValue) => Awaitable<StoredObject>;
}

/** Returns the cache once it contains everything acknowledged before the call. */
export async function caughtUp(state: EngineState, entry: KindEntry, signal: AbortSignal): Promise<ObjectCache> {
  const cache = state.cache(entry);
  const revision = await state.store.currentRevision();
  if (cache.revision < revision) await cache.waitFor(revision, signal);
  return cache;
}

/**
 * Returns the newest state of an object that is known without a round trip: a recent write of this process, or else the cached state. A
 * write based on it is guarded by its revision, so an outdated state does no harm.
 */
export function newestKnown({ cache, handoff }: EngineState, entry: KindEntry, key: string): StoredObject | undefined {
  const known = cache(entry);
  return handoff.after(known.revision, key) ?? known.get(key)?.object;
}

/** @throws TAP_OBJECT_UNKNOWN_VERSION for a version that the store has not reached, which the engine cannot have issued */
export async function refuseFuture(store: ResourceStore, revision: number, resourceVersion: string): Promise<void> {
  if (revision <= (await store.currentRevision())) return;
  throw resourceErrors.TAP_OBJECT_UNKNOWN_VERSION({ message: `resourceVersion ${resourceVersion} does not exist yet` });
}
