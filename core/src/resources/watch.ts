import type { Served, WatchEvent, WatchQuery } from '../ports/engine.js';
import type { VersionedView } from './conversion.js';
import { caughtUp, refuseFuture, type EngineState } from './engine-state.js';
import { resourceErrors } from './errors.js';
import type { Found } from './registry.js';
import { resourceVersionOf, revisionOf } from './resource-version.js';
import { selectionOf } from './selection.js';
import type { StoredObject } from './stored-object.js';
import { findKind } from './target.js';
import type { CacheBatch, CacheEvent, CachePage } from './watch-cache.js';

/** Objects per batch while a watch sends the existing objects. */
const initialBatchMax = 500;
/** Clients consider a watch half-open after 25 s of silence. */
const bookmarkEveryMs = 10_000;
const bufferedEventsMax = 4_096;
const part: NonNullable<WatchEvent['initial']> = {};

/** How a watch continues after its initial events. */
interface Following {
  readonly batches: AsyncIterator<CacheBatch<StoredObject>>;
  readonly eventsOf: (batch: CacheBatch<StoredObject>) => readonly WatchEvent[];
  readonly end: () => void;
}

/** Serves watches from the watch caches. */
export class Watches {
  readonly #state: EngineState;
  readonly #views: VersionedView;
  readonly #kinds = new WeakMap<Found['entry'], number>();
  #kindsSeen = 0;
  #last: { readonly event: CacheEvent<StoredObject>; readonly version: Found['version']; readonly delivered: WatchEvent } | undefined;

  constructor(state: EngineState, views: VersionedView) {
    this.#state = state;
    this.#views = views;
  }

  /**
   * Yields batches of events in order. Without a resourceVersion, or with "0", starts with the existing objects; with `sendInitialEvents:
   * false`, starts at the current revision. Ends when `signal` aborts.
   *
   * @throws TAP_STORE_COMPACTED when the history is gone, TAP_STORE_SLOW_CONSUMER when the reader was too slow
   */
  watch(query: WatchQuery): AsyncIterableIterator<readonly WatchEvent[]> {
    return new EventReader(this.#begin(query), query.signal);
  }

  /** Yields the existing objects; returns how the watch continues. */
  async *#begin(query: WatchQuery): AsyncGenerator<readonly WatchEvent[], Following | undefined, void> {
    const { store } = this.#state;
    const found = findKind(this.#state.registry(), query.target);
    if (!found.entry.verbs.has('watch')) {
      throw resourceErrors.TAP_REQUEST_METHOD({ message: `${query.target.kind.plural}: watch is not served` });
    }
    const { resourceVersion = '', signal } = query;
    const isFromNow = resourceVersion === '' || resourceVersion === '0';
    const revision = isFromNow ? 0 : revisionOf(resourceVersion, store.epoch);
    if (!isFromNow) await refuseFuture(store, revision, resourceVersion);
    const cache = resourceVersion === '' ? await caughtUp(this.#state, found.entry, signal) : this.#state.cache(found.entry);
    if (cache.revision < revision || cache.revision < 0) await cache.waitFor(revision, signal);
    const selection = selectionOf(found.entry, found.entry.isNamespaced ? query.target.namespace : undefined, query);
    // List and watch are created in the same turn, so that no event between them is lost or duplicated.
    const initial = (query.sendInitialEvents ?? isFromNow) ? cache.list(selection) : undefined;
    const bookmark = query.bookmarks ? { bookmarkEveryMs } : {};
    const afterRevision = initial?.revision ?? (isFromNow ? cache.revision : revision);
    const watch = cache.watch({ ...selection, name: this.#nameOf(found, query), afterRevision, bufferedEventsMax, ...bookmark });
    const close = (): void => watch.close();
    signal.addEventListener('abort', close, { once: true });
    const end = (): void => {
      signal.removeEventListener('abort', close);
      close();
    };
    let isFollowed = false;
    try {
      if (initial) yield* this.#initial(initial, found, query);
      if (signal.aborted) return undefined;
      isFollowed = true;
      return { batches: watch[Symbol.asyncIterator](), eventsOf: (batch) => this.#events(batch, found, query), end };
    } finally {
      if (!isFollowed) end();
    }
  }

  *#initial({ items, revision }: CachePage<StoredObject>, found: Found, query: WatchQuery): Generator<readonly WatchEvent[]> {
    const all = { reached: resourceVersionOf(this.#state.store.epoch, revision) };
    for (let start = 0; start < items.length; start += initialBatchMax) {
      const batch = items.slice(start, start + initialBatchMax);
      const lastIndex = items.length - 1 - start;
      yield batch.map(({ object }, index) => {
        const initial = index === lastIndex ? all : part;
        return { type: 'ADDED' as const, served: this.#view(object, found), initial };
      });
    }
    if (query.sendInitialEvents && query.bookmarks) yield [this.#bookmark(found, revision, { 'k8s.io/initial-events-end': 'true' })];
  }

  #events(batch: CacheBatch<StoredObject>, found: Found, query: WatchQuery): readonly WatchEvent[] {
    if (batch.events.length > 0) return batch.events.map((event) => this.#event(event, found));
    return query.bookmarks ? [this.#bookmark(found, batch.revision)] : [];
  }

  /** Names the selection of a watch, so that watches with the same selection share their events. */
  #nameOf({ entry }: Found, { target: { namespace }, labelSelector, fieldSelector, fieldValues }: WatchQuery): string {
    const kind = this.#kinds.get(entry) ?? (this.#kindsSeen += 1);
    this.#kinds.set(entry, kind);
    return JSON.stringify([kind, namespace ?? '', labelSelector ?? '', fieldSelector ?? '', fieldValues ?? '']);
  }

  /** Converts an event once for consecutive watches with the same selection. */
  #event(event: CacheEvent<StoredObject>, found: Found): WatchEvent {
    if (this.#last?.event === event && this.#last.version === found.version) return this.#last.delivered;
    const delivered = this.#made(event, found);
    this.#last = { event, version: found.version, delivered };
    return delivered;
  }

  #made(event: CacheEvent<StoredObject>, found: Found): WatchEvent {
    const type = event.type === 'added' ? 'ADDED' : event.type === 'modified' ? 'MODIFIED' : 'DELETED';
    return { type, served: this.#view(event.entry.object, found) };
  }

  #view(stored: StoredObject, found: Found): Served {
    return this.#views.at(stored, found.version, this.#state.store.epoch);
  }

  #bookmark({ entry, version }: Found, revision: number, annotations?: Readonly<Record<string, string>>): WatchEvent {
    const resourceVersion = resourceVersionOf(this.#state.store.epoch, revision);
    const metadata = { resourceVersion, creationTimestamp: null, ...(annotations && { annotations }) };
    const object = { kind: entry.kind, apiVersion: version.apiVersion, metadata };
    return { type: 'BOOKMARK', served: { object, resourceVersion, bytes: new TextEncoder().encode(JSON.stringify(object)) } };
  }
}

type WatchResult = IteratorResult<readonly WatchEvent[], undefined>;

const over: WatchResult = { done: true, value: undefined };

/**
 * Reads a watch: its initial events, then those that follow. Hand-written, since a generator would cost several promises per event and
 * watch.
 * Ends normally when the signal aborts.
 */
class EventReader implements AsyncIterableIterator<readonly WatchEvent[]> {
  readonly #beginning: AsyncGenerator<readonly WatchEvent[], Following | undefined, void>;
  readonly #signal: AbortSignal;
  #following: Following | undefined;

  constructor(beginning: AsyncGenerator<readonly WatchEvent[], Following | undefined, void>, signal: AbortSignal) {
    this.#beginning = beginning;
    this.#signal = signal;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<WatchResult> {
    return this.#following === undefined ? this.#begin() : this.#following.batches.next().then(this.#delivered, this.#failed);
  }

  async return(): Promise<WatchResult> {
    await this.#beginning.return(undefined);
    this.#end();
    return over;
  }

  async #begin(): Promise<WatchResult> {
    try {
      const first = await this.#beginning.next();
      if (first.done !== true) return first;
      if (first.value === undefined) return over;
      this.#following = first.value;
    } catch (error) {
      return this.#failed(error);
    }
    return this.next();
  }

  readonly #delivered = ({ done, value }: IteratorResult<CacheBatch<StoredObject>, unknown>): WatchResult | Promise<WatchResult> => {
    const events = done === true ? undefined : this.#following?.eventsOf(value);
    if (events === undefined) {
      this.#end();
      return over;
    }
    return events.length === 0 ? this.next() : { done: false, value: events };
  };

  readonly #failed = (error: unknown): WatchResult => {
    this.#end();
    if (this.#signal.aborted) return over;
    throw error;
  };

  #end(): void {
    this.#following?.end();
  }
}
