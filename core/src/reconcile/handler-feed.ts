import type { Clock, Immutable, Sync } from '@tappaas/sdk';
import type { CachedObject } from './source.js';

/** Why a handler is called, beyond the change itself. */
export interface Occasion {
  /** The object was there when the handler or the cache began; queues put it behind fresh changes. */
  readonly isInInitialList: boolean;
  /** Nothing changed: the object is shown again. */
  readonly isResync: boolean;
  /** The deletion was missed and found out by listing; the object is what was known last. */
  readonly isTombstone: boolean;
}

/** Told of every change of a cache, synchronously and in order; what it throws is caught, and it is told again. */
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
  /** What the cache holds now. */
  readonly current: (key: string) => Immutable<T> | undefined;
  readonly clock: Clock;
  readonly backoff: (failures: number) => number;
  readonly onError: (error: unknown) => void;
}

/**
 * Brings a cache's changes to one handler, and loses none when it throws.
 *
 * For a key whose handling failed, the feed remembers what the handler saw last. Later, with back-off, it tells the difference
 * between that and what the cache holds by then. So the memory is one object per failed key however many changes there are, and
 * another object of the same name is still told as a deletion and an addition.
 */
export class HandlerFeed<T extends CachedObject> {
  private readonly options: FeedOptions<T>;
  private readonly behind = new Map<string, Immutable<T> | undefined>();
  private readonly waiting: (() => void)[] = [];
  private failures = 0;
  private retrying = false;

  constructor(options: FeedOptions<T>) {
    this.options = options;
  }

  /** Keys whose last change the handler has not taken yet. */
  get behindKeys(): number {
    return this.behind.size;
  }

  /** Tells that `key` went from `previous` to `object`; nothing stands for absent. */
  tell(key: string, object: Immutable<T> | undefined, previous: Immutable<T> | undefined, occasion: Occasion): void {
    if (this.behind.size > 0 && this.behind.has(key)) return;
    this.attempt(key, object, previous, occasion);
  }

  /** Tells again what failed, as long as there is something and `signal` lasts. */
  async retry(signal: AbortSignal): Promise<void> {
    if (this.retrying) return;
    this.retrying = true;
    try {
      while (this.behind.size > 0 && !signal.aborted) {
        await this.options.clock.sleep(this.options.backoff(this.failures), signal);
        this.failures += 1;
        for (const [key, seen] of Array.from(this.behind)) {
          this.behind.delete(key);
          this.attempt(key, this.options.current(key), seen, change);
        }
      }
      this.failures = 0;
    } catch (error) {
      if (!signal.aborted) throw error;
    } finally {
      this.retrying = false;
      for (const resume of this.waiting.splice(0)) resume();
    }
  }

  /** Resolves when the handler has taken everything, or the retrying was stopped. */
  caughtUp(): Promise<void> {
    return this.behind.size === 0 || !this.retrying ? Promise.resolve() : new Promise((resolve) => this.waiting.push(resolve));
  }

  /** Forgets what was not taken: the handler has left. */
  close(): void {
    this.behind.clear();
  }

  private attempt(key: string, object: Immutable<T> | undefined, previous: Immutable<T> | undefined, occasion: Occasion): void {
    const { handler, onError } = this.options;
    let seen = previous;
    try {
      if (previous !== undefined && (object === undefined || isOther(object, previous))) {
        handler.delete?.(previous, occasion);
        seen = undefined;
      }
      if (object !== undefined && seen !== undefined) handler.update?.(object, seen, occasion);
      else if (object !== undefined) handler.add?.(object, occasion);
    } catch (error) {
      this.behind.set(key, seen);
      onError(error);
    }
  }
}

/** Two objects of one name that are not the same object. */
function isOther(object: CachedObject, previous: CachedObject): boolean {
  return object.metadata.uid !== previous.metadata.uid;
}
