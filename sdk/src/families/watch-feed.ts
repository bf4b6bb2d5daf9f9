import type { Clock } from '../context.js';
import { storeErrors } from './store-errors.js';

/** Events of whole revisions, in order. Without events: everything up to `revision` was delivered. */
export interface FeedBatch<E> {
  readonly revision: number;
  readonly events: readonly E[];
}

/** A piece of history; `live`: it is up to date, and from this moment on every publication is passed to {@link WatchFeed.offer}. */
export interface FeedHistory<E> extends FeedBatch<E> {
  readonly live: boolean;
}

/** What a feed needs from the store or cache whose events it carries. */
export interface WatchFeedOptions<E> {
  /** Everything up to this revision counts as delivered: one less than the first revision of interest. It may lie in the future. */
  readonly afterRevision: number;
  readonly bufferedEventsMax: number;
  /** Reads the next whole revisions after `afterRevision`; called only as the reader consumes, until one result is live. */
  catchUp(afterRevision: number): FeedHistory<E> | Promise<FeedHistory<E>>;
  /** Called once, when the reader or the writer ends the feed: drop every reference to it. */
  onEnd(): void;
  readonly clock: Clock;
  /** Requests a progress mark at least this often while nothing matches. Default: never. */
  readonly progressEveryMs?: number | undefined;
}

/**
 * The bounded queue between a store that publishes and one reader that iterates; every watch is built on it.
 *
 * First the reader pulls history; then the writer offers what it publishes. A reader that is too slow gets an error; events are never
 * skipped.
 */
export class WatchFeed<E extends { readonly revision: number }> implements AsyncIterable<FeedBatch<E>> {
  readonly #options: WatchFeedOptions<E>;
  #isOver = false;
  /** Stops the periodic requests for progress marks. */
  #asking: AbortController | undefined;
  #buffer: E[] = [];
  #live = false;
  /** Everything up to this revision was delivered to the reader, or did not match. */
  #delivered: number;
  /** Everything up to this revision was offered. */
  #published = -1;
  #markWanted = false;
  #failure: Error | undefined;
  #iterating = false;
  #wake: (() => void) | undefined;

  constructor(options: WatchFeedOptions<E>) {
    this.#options = options;
    this.#delivered = options.afterRevision;
    if (options.progressEveryMs !== undefined) void this.#askForMarks(options.progressEveryMs);
  }

  /** The revision up to which everything was delivered to the reader, or did not match. */
  get revision(): number {
    return this.#live && this.#buffer.length === 0 ? Math.max(this.#delivered, this.#published) : this.#delivered;
  }

  /**
   * Called when the writer has published everything up to `revision`; `events` are all matching ones since the last offer, or since the end
   * of history.
   *
   * They may arrive before the reader has received the last piece of history: they are queued behind it.
   */
  offer(revision: number, events: readonly E[]): void {
    if (this.#isOver) return;
    this.#published = revision;
    const early = (events[0]?.revision ?? Infinity) <= this.#delivered;
    const wanted = early ? events.filter((event) => event.revision > this.#delivered) : events;
    if (this.#buffer.length + wanted.length > this.#options.bufferedEventsMax) return this.fail(this.#tooSlow());
    for (const event of wanted) this.#buffer.push(event);
    if (wanted.length > 0 || this.#markDue()) this.#wake?.();
  }

  /** Requests a batch, if need be an empty one, as soon as everything published so far was delivered. */
  requestProgress(): void {
    this.#markWanted = true;
    if (this.#markDue()) this.#wake?.();
  }

  /** Ends the iteration with `error`; queued events are dropped. */
  fail(error: Error): void {
    if (this.#isOver) return;
    this.#failure = error;
    this.close();
  }

  /** Ends the iteration; queued events are dropped. */
  close(): void {
    if (this.#isOver) return;
    this.#buffer = [];
    this.#isOver = true;
    this.#asking?.abort();
    this.#options.onEnd();
    this.#wake?.();
  }

  [Symbol.asyncIterator](): AsyncIterator<FeedBatch<E>> {
    if (this.#iterating) throw new TypeError('a watch can be iterated once');
    this.#iterating = true;
    return {
      next: () => this.#next(),
      return: async () => {
        this.close();
        return { done: true, value: undefined };
      },
    };
  }

  /** The next batch. A reader that is up to date costs one promise per event, however many readers there are. */
  #next(): Promise<IteratorResult<FeedBatch<E>>> {
    if (!this.#live || this.#isOver) return this.#pulled();
    const batch = this.#take();
    if (batch !== undefined) return Promise.resolve({ done: false, value: batch });
    return new Promise<void>((resolve) => (this.#wake = resolve)).then(this.#woken);
  }

  readonly #woken = (): IteratorResult<FeedBatch<E>> | Promise<IteratorResult<FeedBatch<E>>> => {
    this.#wake = undefined;
    const batch = this.#isOver ? undefined : this.#take();
    return batch === undefined ? this.#next() : { done: false, value: batch };
  };

  /** Pulls history until the reader is up to date. */
  async #pulled(): Promise<IteratorResult<FeedBatch<E>>> {
    while (!this.#isOver) {
      if (this.#live) return this.#next();
      const batch = await this.#pull();
      if (batch !== undefined && !this.#isOver) return { done: false, value: batch };
    }
    return this.#end();
  }

  /** Takes everything the writer has offered, as one batch. */
  #take(): FeedBatch<E> | undefined {
    if (this.#buffer.length === 0 && !this.#markDue()) return undefined;
    const events = this.#buffer;
    this.#buffer = [];
    this.#markWanted = false;
    this.#delivered = this.#published;
    return { revision: this.#delivered, events };
  }

  /** Whether a progress mark is due. A watch that begins in the future gets none before its first revision. */
  #markDue(): boolean {
    return this.#markWanted && this.#live && this.#published >= this.#delivered;
  }

  async #pull(): Promise<FeedBatch<E> | undefined> {
    try {
      const { revision, events, live } = await this.#options.catchUp(this.#delivered);
      this.#live = live;
      this.#published = Math.max(this.#published, revision);
      if (events.length === 0 && !this.#markDue()) {
        this.#delivered = Math.max(this.#delivered, revision);
        return undefined;
      }
      if (live) this.#markWanted = false;
      this.#delivered = revision;
      return { revision, events };
    } catch (error) {
      this.fail(error instanceof Error ? error : new Error(String(error)));
      return undefined;
    }
  }

  #end(): IteratorResult<FeedBatch<E>> {
    const failure = this.#failure;
    this.#failure = undefined;
    if (failure !== undefined) throw failure;
    return { done: true, value: undefined };
  }

  async #askForMarks(everyMs: number): Promise<void> {
    const { clock } = this.#options;
    this.#asking = new AbortController();
    const { signal } = this.#asking;
    while (!signal.aborted) {
      await clock.sleep(everyMs, signal).catch(() => undefined);
      this.requestProgress();
    }
  }

  #tooSlow(): Error {
    const { bufferedEventsMax } = this.#options;
    return storeErrors.TAP_STORE_SLOW_CONSUMER({
      message: `more than ${bufferedEventsMax} events wait for a watch that has read up to revision ${this.#delivered}`,
      data: { revision: this.#delivered },
    });
  }
}
