import type { Clock, Immutable, Sync } from '@tappaas/sdk';
import type { CachedObject } from './source.js';

/** Why a handler is called, beyond the change itself. */
export interface Occasion {
  /** The object existed when the handler or the cache started; queues put it behind fresh changes. */
  readonly isInInitialList: boolean;
  /** Nothing changed; the object is delivered again. */
  readonly isResync: boolean;
  /** The deletion was missed and detected by listing; the object is the last known state. */
  readonly isTombstone: boolean;
}

/** Receives every change of a cache, synchronously and in order. Errors are caught, and the change is delivered again. */
export interface Handler<T> {
  add?(object: Immutable<T>, occasion: Occasion): Sync;
  update?(object: Immutable<T>, previous: Immutable<T>, occasion: Occasion): Sync;
  delete?(object: Immutable<T>, occasion: Occasion): Sync;
}

const change: Occasion = Object.freeze({ isInInitialList: false, isResync: false, isTombstone: false });
const initial: Occasion = Object.freeze({ ...change, isInInitialList: true });
const resync: Occasion = Object.freeze({ ...change, isResync: true });
const tombstone: Occasion = Object.freeze({ ...change, isTombstone: true });
export const occasions = Object.freeze({ change, initial, resync, tombstone });

export interface FeedOptions<T> {
  readonly handler: Handler<T>;
  /** Returns the current object in the cache. */
  readonly current: (key: string) => Immutable<T> | undefined;
  readonly clock: Clock;
  readonly backoff: (failures: number) => number;
  readonly onError: (error: unknown) => void;
}

/**
 * Delivers a cache's changes to one handler, and loses none when it throws.
 *
 * For a key whose handling failed, the feed remembers the last state that the handler saw, and later, with back-off, delivers the
 * difference to the state then in the cache. This costs one object per failed key regardless of the number of changes, and a replaced
 * object is still delivered as a deletion and an addition.
 */
export class HandlerFeed<T extends CachedObject> {
  readonly #options: FeedOptions<T>;
  readonly #behind = new Map<string, Immutable<T> | undefined>();
  readonly #waiting: (() => void)[] = [];
  #failures = 0;
  #retrying = false;

  constructor(options: FeedOptions<T>) {
    this.#options = options;
  }

  /** Number of keys whose last change the handler has not accepted yet. */
  get behindKeys(): number {
    return this.#behind.size;
  }

  /** Delivers the change of `key` from `previous` to `object`; undefined means absent. */
  notify(key: string, object: Immutable<T> | undefined, previous: Immutable<T> | undefined, occasion: Occasion): void {
    if (this.#behind.size > 0 && this.#behind.has(key)) return;
    this.#attempt(key, object, previous, occasion);
  }

  /** Redelivers failed changes until there are none or `signal` aborts. */
  async retry(signal: AbortSignal): Promise<void> {
    if (this.#retrying) return;
    this.#retrying = true;
    try {
      while (this.#behind.size > 0 && !signal.aborted) {
        await this.#options.clock.sleep(this.#options.backoff(this.#failures), signal);
        this.#failures += 1;
        for (const [key, seen] of Array.from(this.#behind)) {
          this.#behind.delete(key);
          this.#attempt(key, this.#options.current(key), seen, change);
        }
      }
      this.#failures = 0;
    } catch (error) {
      if (!signal.aborted) throw error;
    } finally {
      this.#retrying = false;
      for (const resume of this.#waiting.splice(0)) resume();
    }
  }

  /** Resolves when the handler has accepted everything, or retrying has stopped. */
  caughtUp(): Promise<void> {
    return this.#behind.size === 0 || !this.#retrying ? Promise.resolve() : new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** Drops undelivered changes, because the handler was removed. */
  close(): void {
    this.#behind.clear();
  }

  #attempt(key: string, object: Immutable<T> | undefined, previous: Immutable<T> | undefined, occasion: Occasion): void {
    const { handler, onError } = this.#options;
    let seen = previous;
    try {
      if (previous !== undefined && (object === undefined || isOther(object, previous))) {
        handler.delete?.(previous, occasion);
        seen = undefined;
      }
      if (object !== undefined && seen !== undefined) handler.update?.(object, seen, occasion);
      else if (object !== undefined) handler.add?.(object, occasion);
    } catch (error) {
      this.#behind.set(key, seen);
      onError(error);
    }
  }
}

/** Whether two objects with the same name are different objects. */
function isOther(object: CachedObject, previous: CachedObject): boolean {
  return object.metadata.uid !== previous.metadata.uid;
}
