import { freezeDeep, isTapError, type Immutable } from '@tappaas/sdk';
import { reconcileErrors } from './errors.js';
import { HandlerFeed, occasions, type Handler, type Occasion } from './handler-feed.js';
import type { InformerOptions } from './informer-options.js';
import { keepWhole, type Keep, type StoredForm } from './stored-form.js';
import { ObjectCache } from './object-cache.js';
import { readWithIdleTimeout } from './idle-timeout.js';
import { withoutManagedFields } from './projection.js';
import { RevisionGate } from './revision-gate.js';
import { compareRevisions } from './revision.js';
import { keyOf, type CachedObject, type SourceEvent } from './source.js';

/** A cache that follows a source, and its readers. All returned objects are frozen. */
export interface Informer<T extends CachedObject> {
  /** Follows the source until `signal` aborts, regardless of failures; never rejects. */
  run(signal: AbortSignal): Promise<void>;
  get(key: string): Immutable<T> | undefined;
  list(): Immutable<T>[];
  byIndex(index: string, value: string): Immutable<T>[];
  /** Returns the keys of those objects without reading them. */
  keysByIndex(index: string, value: string): readonly string[];
  keys(): IterableIterator<string>;
  readonly size: number;
  /** The cache contains everything up to this revision; undefined before the first list. */
  readonly revision: string | undefined;
  readonly hasSynced: boolean;
  /** Resolves when the first list is in the cache and has been delivered. */
  synced(signal: AbortSignal): Promise<void>;
  /** Resolves when the cache has reached `revision`, so that a write is visible to subsequent reads. */
  waitFor(revision: string, signal: AbortSignal): Promise<void>;
  /** Delivers the existing objects as the initial list, then every change; returns the function that removes the handler. */
  addHandler(handler: Handler<T>): () => void;
  /** Delivers every object to the handlers again. */
  resync(): void;
}

/** Makes an informer: one list and one watch, shared by all handlers and readers. */
export function createInformer<T extends CachedObject>(options: InformerOptions<T>): Informer<T> {
  return new ListWatcher(options);
}

/** Objects delivered before yielding to the event loop. */
const chunkItems = 2_000;
/** A watch that ends sooner than this without any event counts as failed. */
const shortWatchMs = 1_000;
const retryAfterMsMax = 20_000;

class ListWatcher<T extends CachedObject> implements Informer<T> {
  revision: string | undefined;
  hasSynced = false;
  readonly #options: InformerOptions<T>;
  readonly #cache: ObjectCache<Immutable<T>, StoredForm<T>>;
  readonly #project: (object: T) => T;
  readonly #keep: Keep<T>;
  readonly #itemsMax: number;
  readonly #behindKeysMax: number;
  readonly #gate: RevisionGate;
  readonly #feeds = new Set<HandlerFeed<T>>();
  readonly #firstSync = Promise.withResolvers<void>();
  #running: AbortSignal | undefined;
  #failures = 0;
  /** Whether the source no longer has our revision. */
  #expired = true;

  constructor(options: InformerOptions<T>) {
    this.#options = options;
    this.#cache = new ObjectCache(options.indexers ?? {}, (error) => options.onError?.(error));
    this.#project = options.project ?? withoutManagedFields;
    this.#keep = options.keep ?? keepWhole;
    this.#itemsMax = options.itemsMax ?? 1_000_000;
    this.#behindKeysMax = options.behindKeysMax ?? 10_000;
    this.#gate = new RevisionGate(options.waitersMax ?? 100_000);
  }

  get size(): number {
    return this.#cache.size;
  }

  get(key: string): Immutable<T> | undefined {
    return this.#cache.get(key);
  }

  list(): Immutable<T>[] {
    return [...this.#cache.values()];
  }

  keys(): IterableIterator<string> {
    return this.#cache.keys();
  }

  byIndex(index: string, value: string): Immutable<T>[] {
    return this.#cache.byIndex(index, value);
  }

  keysByIndex(index: string, value: string): readonly string[] {
    return [...this.#cache.keysByIndex(index, value)];
  }

  waitFor(revision: string, signal: AbortSignal): Promise<void> {
    return this.#gate.wait(revision, signal);
  }

  synced(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const onAbort = (): void => reject(signal.reason as Error);
      if (signal.aborted) onAbort();
      signal.addEventListener('abort', onAbort, { once: true });
      void this.#firstSync.promise.then(() => {
        signal.removeEventListener('abort', onAbort);
        resolve();
      });
    });
  }

  addHandler(handler: Handler<T>): () => void {
    const { clock, backoff } = this.#options;
    const current = (key: string): Immutable<T> | undefined => this.#cache.get(key);
    const feed = new HandlerFeed<T>({ handler, current, clock, backoff, onError: (error) => this.#handlerFailed(feed, error) });
    this.#feeds.add(feed);
    for (const object of this.#cache.values()) feed.notify(keyOf(object), object, undefined, occasions.initial);
    return () => {
      this.#feeds.delete(feed);
      feed.close();
    };
  }

  resync(): void {
    for (const object of this.#cache.values()) this.#notify(keyOf(object), object, object, occasions.resync);
  }

  async run(signal: AbortSignal): Promise<void> {
    this.#running = signal;
    for (const feed of this.#feeds) if (feed.behindKeys > 0) void feed.retry(signal);
    void this.#resyncAgainAndAgain(signal);
    while (!signal.aborted) {
      try {
        if (this.#expired) await this.#relist(signal);
        await this.#watch(signal);
      } catch (error) {
        if (signal.aborted) break;
        // A quiet kind looks like a dead connection; reconnecting immediately tells them apart.
        if (isTapError(error, 'TAP_CACHE_SILENT')) {
          this.#failures = 0;
          continue;
        }
        this.#options.onError?.(error);
        const isGone = isTapError(error) && error.spec.httpStatus === 410;
        if (isGone) this.#expired = true;
        await this.#pause(error, signal);
      }
    }
    this.#running = undefined;
  }

  async #pause(failure: unknown, signal: AbortSignal): Promise<void> {
    const requestedDelayMs = isTapError(failure) ? Math.min(retryAfterMsMax, failure.retryAfterMs ?? 0) : 0;
    const delayMs = Math.max(requestedDelayMs, this.#options.backoff(this.#failures));
    this.#failures += 1;
    await this.#options.clock.sleep(delayMs, signal).catch(() => {});
  }

  async #relist(signal: AbortSignal): Promise<void> {
    const { items, revision } = await this.#options.source.list({ signal });
    const listed = new Set<string>();
    const occasion = this.hasSynced ? occasions.change : occasions.initial;
    let notified = 0;
    for (const item of items) {
      const key = keyOf(item);
      listed.add(key);
      if (listed.size > this.#itemsMax) throw this.#tooLarge(listed.size);
      const known = this.#cache.get(key);
      if (known === undefined || !isSame(known, item)) this.#put(key, item, occasion);
      if ((notified += 1) % chunkItems === 0) await yieldToOthers();
      for (const feed of this.#feeds) if (feed.behindKeys >= this.#behindKeysMax) await feed.caughtUp();
    }
    for (const key of Array.from(this.#cache.keys())) if (!listed.has(key)) this.#drop(key, occasions.tombstone);
    this.#expired = false;
    this.#reach(revision);
    if (this.hasSynced) return;
    this.hasSynced = true;
    this.#firstSync.resolve();
  }

  async #watch(signal: AbortSignal): Promise<void> {
    const { name, source, clock, random, watchMs = 300_000, silenceMsMax = 25_000 } = this.#options;
    const fromRevision = this.revision ?? '';
    const timeoutMs = Math.round(watchMs * (1 + random()));
    const startMs = clock.nowMs();
    let heard = false;
    const open = (signal: AbortSignal): AsyncIterable<SourceEvent<T>> => source.watch({ fromRevision, timeoutMs, signal });
    for await (const event of readWithIdleTimeout(open, { clock, silenceMsMax, what: `watch of ${name}` }, signal)) {
      this.#take(event);
      heard = true;
      this.#failures = 0;
      for (const feed of this.#feeds) if (feed.behindKeys >= this.#behindKeysMax) await feed.caughtUp();
    }
    const isShort = !heard && clock.nowMs() - startMs < shortWatchMs;
    if (!isShort) this.#failures = 0;
    else throw reconcileErrors.TAP_CACHE_WATCH_ENDED({ message: `the watch of ${name} ended at once without an event` });
  }

  #take(event: SourceEvent<T>): void {
    if (event.type === 'bookmark') {
      if (this.#isNews(event.revision)) this.#reach(event.revision);
      return;
    }
    const { object } = event;
    const key = keyOf(object);
    const revision = object.metadata.resourceVersion ?? '';
    const known = this.#cache.get(key);
    if (event.type === 'deleted') {
      // A newer object with the same name stays.
      if (known !== undefined && known.metadata.uid === object.metadata.uid) this.#drop(key, occasions.change, object);
    } else if (this.#isNews(revision)) {
      if (known === undefined && this.#cache.size >= this.#itemsMax) throw this.#tooLarge(this.#cache.size + 1);
      this.#put(key, object, occasions.change);
    }
    if (this.#isNews(revision)) this.#reach(revision);
  }

  /** A change at or before the last seen revision is a repetition of a resumed watch. */
  #isNews(revision: string): boolean {
    return this.revision === undefined || compareRevisions(revision, this.revision) > 0;
  }

  #put(key: string, item: T, occasion: Occasion): void {
    const kept = this.#keep(item, this.#project);
    const { object } = kept;
    const previous = this.#cache.get(key);
    this.#cache.set(key, kept);
    this.#notify(key, object, previous, occasion);
  }

  /** Delivers a deletion with the deleted state if the source reports it, or else the last known state. */
  #drop(key: string, occasion: Occasion, last?: T): void {
    const known = this.#cache.get(key);
    this.#cache.delete(key);
    this.#notify(key, undefined, last === undefined ? known : freezeDeep(this.#project(last)), occasion);
  }

  #notify(key: string, object: Immutable<T> | undefined, previous: Immutable<T> | undefined, occasion: Occasion): void {
    for (const feed of this.#feeds) feed.notify(key, object, previous, occasion);
  }

  #reach(revision: string): void {
    this.revision = revision;
    this.#gate.advance(revision);
  }

  #handlerFailed(feed: HandlerFeed<T>, error: unknown): void {
    this.#options.onError?.(error);
    if (this.#running) void feed.retry(this.#running);
  }

  async #resyncAgainAndAgain(signal: AbortSignal): Promise<void> {
    const { clock, resyncMs } = this.#options;
    if (resyncMs === undefined) return;
    while (!signal.aborted) {
      await clock.sleep(resyncMs, signal).catch(() => {});
      if (!signal.aborted) this.resync();
    }
  }

  #tooLarge(items: number): Error {
    const message = `the cache of ${this.#options.name} may hold ${this.#itemsMax} objects, ${items} were found`;
    return reconcileErrors.TAP_CACHE_TOO_LARGE({ message });
  }
}

function isSame(known: CachedObject, item: CachedObject): boolean {
  return known.metadata.uid === item.metadata.uid && known.metadata.resourceVersion === item.metadata.resourceVersion;
}

function yieldToOthers(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
