import {
  isTapError,
  keyAfterPrefix,
  storeErrors,
  TapError,
  type Awaitable,
  type Clock,
  type KeyValue,
  type ResourceStore,
  type StoreEvent,
  type Watch,
} from '@tappaas/sdk';
import type { EntryOrigin } from './cache-entry.js';

/** How the follower reads the store, and the callbacks it reports to. */
export interface FollowerOptions<T> {
  readonly store: Pick<ResourceStore, 'range' | 'watch' | 'health'>;
  readonly clock: Clock;
  readonly prefix: string;
  /** How many revisions back the first list starts, if the store still has them; later events are reported as changes. Default: 0. */
  readonly pastRevisionsMax?: number | undefined;
  decode(stored: KeyValue): Awaitable<T>;
  /** Replaces the whole content with the state at `revision`. */
  onList(revision: number, objects: readonly Decoded<T>[]): void;
  /** Reports all changes under the prefix up to and including `revision`. */
  onChanges(revision: number, changes: readonly DecodedEvent<T>[]): void;
  onProblem(problem: TapError): void;
}

/** A stored key with its decoded object; the stored value is released as soon as it is decoded. */
export interface Decoded<T> {
  readonly origin: EntryOrigin;
  readonly object: T;
}

/** A change with its decoded object; a deletion has none. */
export interface DecodedEvent<T> {
  readonly event: StoreEvent;
  readonly object?: T;
}

const pageItems = 500;
const backOffMsMin = 100;
const backOffMsMax = 10_000;
const progressEveryMs = 10_000;

/**
 * Follows one prefix of a store until stopped: lists, watches, and resumes after the last event delivered. It lists again only when the
 * store no longer has that history.
 *
 * Failures are reported and retried with back-off.
 */
export class CacheFollower<T> {
  readonly #options: FollowerOptions<T>;
  readonly #stop = new AbortController();
  #running: Promise<void> | undefined;
  #watch: Watch | undefined;
  #revision: number | undefined;
  #backOffMs = backOffMsMin;

  constructor(options: FollowerOptions<T>) {
    this.#options = options;
  }

  start(): void {
    this.#running ??= this.#run();
  }

  /** Asks the store to report its progress soon. No-op while no watch is open: the next list or watch reports progress anyway. */
  requestProgress(): void {
    this.#watch?.requestProgress();
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    this.#watch?.close();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      try {
        if (this.#revision === undefined) await this.#list();
        await this.#follow();
      } catch (error) {
        if (!signal.aborted) await this.#recover(error);
      }
    }
  }

  async #list(): Promise<void> {
    const { store, prefix } = this.#options;
    const end = keyAfterPrefix(prefix);
    const objects: Decoded<T>[] = [];
    let page = await store.range({ start: prefix, end, itemsMax: pageItems, ...this.#past() });
    for (;;) {
      for (const stored of page.items) objects.push({ origin: originOf(stored), object: await this.#decode(stored) });
      if (!page.more || this.#stop.signal.aborted) break;
      page = await store.range({ start: `${page.items.at(-1)?.key}\0`, end, itemsMax: pageItems, revision: page.revision });
    }
    if (this.#stop.signal.aborted) return;
    this.#options.onList(page.revision, objects);
    this.#revision = page.revision;
  }

  /** Chooses a past revision to list at, so that clients' watches opened before this process started find the history they resume from. */
  #past(): { readonly revision?: number } {
    const { store, pastRevisionsMax = 0 } = this.#options;
    const { revision, compactedRevision } = store.health();
    const past = Math.max(compactedRevision, revision - pastRevisionsMax, 1);
    return past < revision ? { revision: past } : {};
  }

  async #follow(): Promise<void> {
    const { store, prefix } = this.#options;
    const fromRevision = (this.#revision ?? 0) + 1;
    if (this.#stop.signal.aborted) return;
    const watch = store.watch({ start: prefix, end: keyAfterPrefix(prefix), fromRevision, progressEveryMs });
    this.#watch = watch;
    // Progress may have been requested while no watch was open.
    watch.requestProgress();
    for await (const { revision, events } of watch) {
      const changes: DecodedEvent<T>[] = [];
      for (const event of events) {
        changes.push(event.current === undefined ? { event } : { event, object: await this.#decode(event.current) });
      }
      // Until all changes have been applied the state is in doubt, so a failure here must lead to a new list.
      this.#revision = undefined;
      this.#options.onChanges(revision, changes);
      this.#revision = revision;
      this.#backOffMs = backOffMsMin;
    }
    if (!this.#stop.signal.aborted) throw storeErrors.TAP_STORE_UNAVAILABLE({ message: `the watch of ${prefix} ended` });
  }

  async #decode(stored: KeyValue): Promise<T> {
    try {
      return await this.#options.decode(stored);
    } catch (cause) {
      if (cause instanceof TapError) throw cause;
      throw storeErrors.TAP_STORE_CORRUPT({ message: `${stored.key} at revision ${stored.modRevision} cannot be decoded`, cause });
    }
  }

  async #recover(error: unknown): Promise<void> {
    if (isTapError(error, 'TAP_STORE_SLOW_CONSUMER')) return;
    if (isTapError(error, 'TAP_STORE_COMPACTED')) return void (this.#revision = undefined);
    this.#options.onProblem(error instanceof TapError ? error : unexpected(error));
    const waitMs = this.#backOffMs;
    this.#backOffMs = Math.min(2 * waitMs, backOffMsMax);
    await quietly(this.#options.clock.sleep(waitMs, this.#stop.signal));
  }
}

function unexpected(cause: unknown): TapError {
  return storeErrors.TAP_STORE_UNAVAILABLE({
    message: `the store failed: ${cause instanceof Error ? cause.message : String(cause)}`,
    cause,
  });
}

const originOf = ({ key, createRevision, modRevision }: KeyValue): EntryOrigin => ({ key, createRevision, modRevision });

/** Waits for a sleep and ignores its early end when the follower is stopped. */
async function quietly(sleep: Promise<void>): Promise<void> {
  await sleep.catch(() => undefined);
}
