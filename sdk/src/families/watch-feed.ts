import type { Clock } from '../context.js';
import { storeErrors } from './store-errors.js';

/** Whole revisions of events in order; none: everything up to `revision` was told. */
export interface FeedBatch<E> {
  readonly revision: number;
  readonly events: readonly E[];
}

/** A piece of history; `live`: it reaches up to now, and from this moment on every publication reaches {@link WatchFeed.offer}. */
export interface FeedHistory<E> extends FeedBatch<E> {
  readonly live: boolean;
}

/** What a feed needs from the store or cache whose events it carries. */
export interface WatchFeedOptions<E> {
  /** Everything up to here counts as told: one less than the first revision of interest. It may lie in the future. */
  readonly afterRevision: number;
  readonly bufferedEventsMax: number;
  /** The next whole revisions after `afterRevision`; asked for only as the reader consumes, until one answer is live. */
  catchUp(afterRevision: number): FeedHistory<E> | Promise<FeedHistory<E>>;
  /** Called once, when the reader or the writer ends it: forget the feed. */
  onEnd(): void;
  readonly clock: Clock;
  /** Asks for a mark at least this often while nothing matches. Default: none. */
  readonly progressEveryMs?: number | undefined;
}

/**
 * The bounded queue between a store that publishes and one reader that iterates: the inside of every watch.
 *
 * First the reader pulls history; then the writer offers what it publishes, and a reader too slow for that is cut, never skipped.
 */
export class WatchFeed<E extends { readonly revision: number }> implements AsyncIterable<FeedBatch<E>> {
  readonly #options: WatchFeedOptions<E>;
  #isOver = false;
  /** Ends what asks for marks. */
  #asking: AbortController | undefined;
  #buffer: E[] = [];
  #live = false;
  /** Everything up to here was handed to the reader or is of no interest to it. */
  #told: number;
  /** Everything up to here was offered. */
  #published = -1;
  #markWanted = false;
  #failure: Error | undefined;
  #iterating = false;
  #wake: (() => void) | undefined;

  constructor(options: WatchFeedOptions<E>) {
    this.#options = options;
    this.#told = options.afterRevision;
    if (options.progressEveryMs !== undefined) void this.#askForMarks(options.progressEveryMs);
  }

  /** Everything up to this revision was handed to the reader, or did not match. */
  get revision(): number {
    return this.#live && this.#buffer.length === 0 ? Math.max(this.#told, this.#published) : this.#told;
  }

  /**
   * The writer published everything up to `revision`; `events` are all that match since the last offer, or since history ended.
   *
   * They may come before the reader has got the last piece of history: they wait behind it.
   */
  offer(revision: number, events: readonly E[]): void {
    if (this.#isOver) return;
    this.#published = revision;
    const early = (events[0]?.revision ?? Infinity) <= this.#told;
    const wanted = early ? events.filter((event) => event.revision > this.#told) : events;
    if (this.#buffer.length + wanted.length > this.#options.bufferedEventsMax) return this.fail(this.#tooSlow());
    for (const event of wanted) this.#buffer.push(event);
    if (wanted.length > 0 || this.#markDue()) this.#wake?.();
  }

  /** Asks for a batch, if need be an empty one, as soon as everything published by now was told. */
  requestProgress(): void {
    this.#markWanted = true;
    if (this.#markDue()) this.#wake?.();
  }

  /** Ends the iteration with `error`; what waits for the reader is dropped. */
  fail(error: Error): void {
    if (this.#isOver) return;
    this.#failure = error;
    this.close();
  }

  /** Ends the iteration; what waits for the reader is dropped. */
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

  /** A reader that is up to date costs one wait an event, however many there are. */
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

  /** Until the reader is up to date. */
  async #pulled(): Promise<IteratorResult<FeedBatch<E>>> {
    while (!this.#isOver) {
      if (this.#live) return this.#next();
      const batch = await this.#pull();
      if (batch !== undefined && !this.#isOver) return { done: false, value: batch };
    }
    return this.#end();
  }

  /** What the writer offered, as one batch. */
  #take(): FeedBatch<E> | undefined {
    if (this.#buffer.length === 0 && !this.#markDue()) return undefined;
    const events = this.#buffer;
    this.#buffer = [];
    this.#markWanted = false;
    this.#told = this.#published;
    return { revision: this.#told, events };
  }

  /** A watch from the future gets no mark before its first revision. */
  #markDue(): boolean {
    return this.#markWanted && this.#live && this.#published >= this.#told;
  }

  async #pull(): Promise<FeedBatch<E> | undefined> {
    try {
      const { revision, events, live } = await this.#options.catchUp(this.#told);
      this.#live = live;
      this.#published = Math.max(this.#published, revision);
      if (events.length === 0 && !this.#markDue()) {
        this.#told = Math.max(this.#told, revision);
        return undefined;
      }
      if (live) this.#markWanted = false;
      this.#told = revision;
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
      message: `more than ${bufferedEventsMax} events wait for a watch that has read up to revision ${this.#told}`,
      data: { revision: this.#told },
    });
  }
}
