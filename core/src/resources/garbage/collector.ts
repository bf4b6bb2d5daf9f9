import { administratorsGroup } from '@tappaas/sdk';
import type { EngineState } from '../engine-state.js';
import { systemOptions } from '../first-start.js';
import type { KindEntry } from '../kind-entry.js';
import { objectKey } from '../key-space.js';
import { equalJson } from '../schema/json-value.js';
import type { StoredObject } from '../stored-object.js';
import type { CacheEvent } from '../watch-cache.js';
import { collect } from './collection.js';
import { emptyNamespace } from './namespace-emptying.js';
import { dependentsOf, hasSolidOwners, placeOf, storedKinds } from './owners.js';

/** A work queue as the collector needs it; the platform passes in one of the queue stage. */
export interface KeyQueue {
  add(key: string): boolean;
  retry(key: string): number;
  forget(key: string): void;
  get(signal?: AbortSignal): Promise<string | undefined>;
  done(key: string): void;
  close(options: { readonly drain: boolean }): Promise<void>;
}

/** What the queue of a collector needs. */
interface QueueNeeds {
  readonly onRoom: () => void;
  /** The namespace of a key, so that one namespace's garbage does not delay that of others. */
  readonly namespaceOf: (key: string) => string | undefined;
}

/** Options of a collector. */
export interface CollectorOptions {
  readonly createQueue: (needs: QueueNeeds) => KeyQueue;
  readonly signal: AbortSignal;
  readonly onError?: (error: unknown) => void;
}

const workers = 4;
const pauseMs = 1_000;
const bufferedEventsMax = 100_000;

/**
 * Deletes objects whose owners are gone, waits for dependents in foreground deletions, and empties terminating namespaces.
 *
 * Looks at every object once at the start and then at changes. Every decision is based on the state stored at that time, so the next start
 * recovers from a crash at any point. Resolves when `signal` aborts.
 */
export async function collectGarbage(state: EngineState, options: CollectorOptions): Promise<void> {
  const collector = new Collector(state, options);
  await collector.run();
}

class Collector {
  readonly #state: EngineState;
  readonly #options: CollectorOptions;
  readonly #queue: KeyQueue;
  readonly #followed = new Set<string>();

  constructor(state: EngineState, options: CollectorOptions) {
    this.#state = state;
    this.#options = options;
    this.#queue = options.createQueue({ onRoom: () => this.#lookAtAll(), namespaceOf: (key) => read(key).namespace });
  }

  async run(): Promise<void> {
    const { signal } = this.#options;
    const working = Array.from({ length: workers }, () => this.#work());
    const forget = this.#state.onKinds(() => this.#followAll());
    this.#followAll();
    await new Promise<void>((resolve) => {
      if (signal.aborted) resolve();
      signal.addEventListener('abort', () => resolve(), { once: true });
    });
    forget();
    await this.#queue.close({ drain: false });
    await Promise.all(working);
  }

  #followAll(): void {
    for (const entry of storedKinds(this.#state)) {
      if (this.#followed.has(entry.prefix)) continue;
      this.#followed.add(entry.prefix);
      void this.#follow(entry);
    }
  }

  /** Looks at every object of a kind once, then at changes; starts over after a gap in the events. */
  async #follow(entry: KindEntry): Promise<void> {
    const { signal } = this.#options;
    while (!signal.aborted && this.#state.registry().ofKind(entry.group, entry.kind)?.prefix === entry.prefix) {
      await this.#followOnce(entry, signal).catch((error: unknown) => this.#failed(error));
      await this.#state.clock.sleep(pauseMs, signal).catch(() => {});
    }
    this.#followed.delete(entry.prefix);
  }

  async #followOnce(entry: KindEntry, signal: AbortSignal): Promise<void> {
    const cache = this.#state.cache(entry);
    await cache.waitFor(0, signal);
    const { items, revision } = cache.list({ within: entry.prefix });
    const watch = cache.watch({ within: entry.prefix, afterRevision: revision, bufferedEventsMax });
    const close = (): void => watch.close();
    signal.addEventListener('abort', close, { once: true });
    try {
      for (const { key, object } of items) this.#look(entry, key, object);
      for await (const { events } of watch) for (const event of events) this.#hear(entry, event);
    } finally {
      signal.removeEventListener('abort', close);
      close();
    }
  }

  #hear(entry: KindEntry, { type, entry: { key, object }, previous }: CacheEvent<StoredObject>): void {
    if (type !== 'deleted') {
      this.#look(entry, key, object);
      if (previous && hasOtherOwners(previous.object, object)) this.#lookAtWaitingOwners(previous.object);
      return;
    }
    this.#add(ownerKey(object.lean.metadata));
    this.#lookAtWaitingOwners(object);
    this.#lookAtNamespace(object);
  }

  /** Queues an object that may need work. Most objects do not, which is determined without reading others. */
  #look(entry: KindEntry, key: string, { lean }: StoredObject): void {
    const isEnding = lean.metadata.deletionTimestamp !== undefined;
    if (isEnding || !hasSolidOwners(this.#state, lean)) this.#add(objectKeyOf(entry, key));
  }

  /** Queues the owners that wait for their dependents, since one dependent is gone. */
  #lookAtWaitingOwners({ lean }: StoredObject): void {
    for (const reference of lean.metadata.ownerReferences ?? []) {
      const place = placeOf(this.#state, lean, reference);
      const owner = place && this.#state.cache(place.entry).get(place.key)?.object;
      if (place && owner?.lean.metadata.deletionTimestamp !== undefined) this.#add(objectKeyOf(place.entry, place.key));
    }
  }

  #lookAtNamespace({ lean }: StoredObject): void {
    const namespaces = this.#state.registry().ofKind('', 'Namespace');
    const { namespace } = lean.metadata;
    if (namespaces === undefined || namespace === undefined) return;
    const key = objectKey(namespaces.prefix, undefined, namespace);
    if (this.#state.cache(namespaces).get(key)?.object.lean.metadata.deletionTimestamp !== undefined)
      this.#add(objectKeyOf(namespaces, key));
  }

  #lookAtAll(): void {
    for (const entry of storedKinds(this.#state)) {
      for (const { key, object } of this.#state.cache(entry).list({ within: entry.prefix }).items) this.#look(entry, key, object);
    }
  }

  /** A full queue refuses the key, and triggers a full pass once it has room. */
  #add(key: string): void {
    this.#queue.add(key);
  }

  async #work(): Promise<void> {
    const { signal } = this.#options;
    for (let key = await this.#queue.get(signal); key !== undefined; key = await this.#queue.get(signal)) {
      try {
        await this.#process(key);
        this.#queue.forget(key);
      } catch (error) {
        if (!signal.aborted) {
          this.#failed(error);
          this.#queue.retry(key);
        }
      } finally {
        this.#queue.done(key);
      }
    }
  }

  async #process(queued: string): Promise<void> {
    const options = { ...systemOptions(this.#options.signal), caller: collectorCaller, fieldManager: 'tappaas-garbage-collector' };
    const item = read(queued);
    if (item.uid !== undefined) {
      for (const { entry, key } of dependentsOf(this.#state, item.uid)) this.#add(objectKeyOf(entry, key));
      return;
    }
    const entry = this.#state.registry().ofKind(item.group, item.kind);
    const stored = entry && this.#state.cache(entry).get(item.key)?.object;
    if (entry === undefined || stored === undefined) return;
    const located = { entry, key: item.key, stored };
    if (entry.group === '' && entry.kind === 'Namespace') await emptyNamespace(this.#state, located, options);
    await collect(this.#state, located, options);
  }

  #failed(error: unknown): void {
    if (!this.#options.signal.aborted) this.#options.onError?.(error);
  }
}

const hasOtherOwners = (before: StoredObject, after: StoredObject): boolean =>
  !equalJson(before.lean.metadata.ownerReferences ?? [], after.lean.metadata.ownerReferences ?? []);

const collectorCaller = { name: 'system:garbage-collector', groups: [administratorsGroup] };

/** A queue item: an owner that is gone, or an object to look at. */
type Item = { readonly namespace?: string } & (
  | { readonly uid: string }
  | { readonly uid?: undefined; readonly group: string; readonly kind: string; readonly key: string }
);

const ownerKey = ({ namespace, uid }: StoredObject['lean']['metadata']): string => JSON.stringify({ namespace, uid });
const objectKeyOf = (entry: KindEntry, key: string): string =>
  JSON.stringify({ namespace: namespaceIn(entry, key), group: entry.group, kind: entry.kind, key });
const read = (queued: string): Item => JSON.parse(queued) as Item;

/** Returns the namespace that contains an object; a namespace's own name. */
function namespaceIn({ prefix, isNamespaced, group, kind }: KindEntry, key: string): string | undefined {
  const place = key.slice(prefix.length);
  if (isNamespaced) return place.slice(0, place.indexOf('/'));
  return group === '' && kind === 'Namespace' ? place : undefined;
}
