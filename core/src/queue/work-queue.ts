import type { Clock } from '@tappaas/sdk';
import { steadyClock } from '../kernel/steady-clock.js';
import { Alarm } from './alarm.js';
import { createBackoff, type Backoff } from './backoff.js';
import { DelayHeap } from './delay-heap.js';
import { queueErrors } from './errors.js';
import { createItem, type Item, type Priority } from './item.js';
import { isMoreUrgent, moreUrgent, PriorityLines } from './priority-lines.js';
import type { QueueObserver, WorkQueueOptions } from './work-queue-options.js';

export type { Priority } from './item.js';

/**
 * Keys to be processed, each at most once: adding a waiting key changes nothing, adding one that is being processed causes one more run
 * after `done`, and no key is ever handed out twice concurrently. A key is queued once with its earliest time, so handing it out cancels
 * any delay set before.
 */
export interface WorkQueue<K extends string | number> {
  /** Adds a key; returns false when the queue is full or closed, and the key was not added. */
  add(key: K, priority?: Priority): boolean;
  /** Adds a key that becomes ready after `delayMs`, or earlier if an earlier time is requested. */
  addAfter(key: K, delayMs: number, priority?: Priority): boolean;
  /** Re-queues a failed key in process with exponential back-off, but not before `delayMsMin`; returns the delay. */
  retry(key: K, delayMsMin?: number): number;
  /** Resets the key's back-off. */
  forget(key: K): void;
  failures(key: K): number;
  /** Takes the next key if one is ready. */
  take(): K | undefined;
  /** Returns the next key; undefined when `signal` aborts or the queue is closed and drained. */
  get(signal?: AbortSignal): Promise<K | undefined>;
  /** Must be called for every key that was handed out. */
  done(key: K): void;
  readonly depth: number;
  readonly delayed: number;
  readonly processing: number;
  /** Number of distinct keys in any state. */
  readonly keys: number;
  /**
   * Refuses new keys, drops delayed ones, and resolves when no key is being processed. With `drain`, ready keys are still handed out first;
   * otherwise they are dropped. Dropping is safe, because the source is listed again at the next start.
   */
  close(options: { readonly drain: boolean }): Promise<void>;
}

export function createWorkQueue<K extends string | number>(options: WorkQueueOptions<K>): WorkQueue<K> {
  return new Queue(options);
}

const oneTenant = (): string => '';
const oneEach = (): number => 1;

class Queue<K extends string | number> implements WorkQueue<K> {
  processing = 0;
  readonly #items = new Map<K, Item<K>>();
  readonly #lines: PriorityLines<K>;
  readonly #heap = new DelayHeap<K>();
  readonly #alarm: Alarm;
  readonly #clock: Clock;
  readonly #backoff: Backoff;
  readonly #tenantOf: (key: K) => string;
  readonly #keysMax: number;
  readonly #onRoom: () => void;
  readonly #observer: QueueObserver;
  readonly #waiters: ((key: K | undefined) => void)[] = [];
  readonly #idlers: (() => void)[] = [];
  #closed = false;
  #refused = false;

  constructor(options: WorkQueueOptions<K>) {
    this.#clock = steadyClock(options.clock);
    this.#backoff = createBackoff(options.backoff, options.random);
    this.#tenantOf = options.tenantOf ?? oneTenant;
    this.#keysMax = options.keysMax ?? 1_000_000;
    this.#onRoom = options.onRoom ?? (() => {});
    this.#observer = options.observer ?? {};
    this.#lines = new PriorityLines(options.weightOf ?? oneEach);
    this.#alarm = new Alarm(this.#clock, () => this.#wake());
  }

  get depth(): number {
    return this.#lines.size;
  }

  get delayed(): number {
    return this.#heap.size;
  }

  get keys(): number {
    return this.#items.size;
  }

  add(key: K, priority: Priority = 'normal'): boolean {
    const item = this.#known(key);
    if (item === undefined) return false;
    if (item.processing) {
      item.priority = item.dirty ? moreUrgent(item.priority, priority) : priority;
      item.dirty = true;
      if (item.heapIndex >= 0) this.#undelay(item);
    } else if (item.lane === undefined) {
      if (item.heapIndex >= 0) this.#undelay(item);
      item.priority = priority;
      this.#makeReady(item);
    } else if (isMoreUrgent(priority, item.priority)) {
      this.#lines.remove(item);
      item.priority = priority;
      this.#lines.push(item, this.#tenantOf(key));
    }
    return true;
  }

  addAfter(key: K, delayMs: number, priority: Priority = 'normal'): boolean {
    if (!(delayMs > 0)) return this.add(key, priority);
    const item = this.#known(key);
    if (item === undefined) return false;
    if (item.lane !== undefined || item.dirty) return true;
    const dueMs = this.#clock.nowMs() + delayMs;
    if (item.heapIndex < 0) {
      item.priority = priority;
      this.#delay(item, dueMs);
    } else {
      item.priority = moreUrgent(item.priority, priority);
      if (dueMs < item.dueMs) {
        this.#heap.remove(item);
        this.#delay(item, dueMs);
      }
    }
    return true;
  }

  retry(key: K, delayMsMin = 0): number {
    const item = this.#mustProcess(key);
    const delayMs = Math.max(delayMsMin, this.#backoff(item.failures));
    item.failures += 1;
    this.#observer.retry?.(delayMs);
    this.addAfter(key, delayMs, item.priority === 'low' ? 'low' : 'normal');
    return delayMs;
  }

  forget(key: K): void {
    const item = this.#items.get(key);
    if (item !== undefined) item.failures = 0;
  }

  failures(key: K): number {
    return this.#items.get(key)?.failures ?? 0;
  }

  take(): K | undefined {
    const item = this.#lines.shift();
    if (item === undefined) return undefined;
    item.processing = true;
    this.processing += 1;
    const { depth, latencyMs } = this.#observer;
    if (latencyMs) latencyMs(this.#clock.nowMs() - item.addedAtMs);
    if (depth) depth(this.depth);
    return item.key;
  }

  get(signal?: AbortSignal): Promise<K | undefined> {
    if (signal?.aborted) return Promise.resolve(undefined);
    const key = this.take();
    if (key !== undefined || this.#ended()) return Promise.resolve(key);
    return new Promise((resolve) => {
      const waiter = (key: K | undefined): void => {
        signal?.removeEventListener('abort', onAbort);
        resolve(key);
      };
      const onAbort = (): void => {
        this.#waiters.splice(this.#waiters.indexOf(waiter), 1);
        resolve(undefined);
      };
      signal?.addEventListener('abort', onAbort, { once: true });
      this.#waiters.push(waiter);
    });
  }

  done(key: K): void {
    const item = this.#mustProcess(key);
    item.processing = false;
    this.processing -= 1;
    if (item.dirty) {
      item.dirty = false;
      this.#makeReady(item);
    } else if (item.heapIndex < 0) {
      this.#items.delete(key);
    }
    this.#settle();
  }

  close(options: { readonly drain: boolean }): Promise<void> {
    this.#closed = true;
    this.#alarm.clear();
    for (const item of this.#items.values()) this.#dismiss(item, options.drain);
    this.#heap.clear();
    return new Promise((resolve) => {
      this.#idlers.push(resolve);
      this.#settle();
    });
  }

  /** Returns the item of `key`, creating it if there is room; undefined when it must be refused. */
  #known(key: K): Item<K> | undefined {
    if (this.#closed) return undefined;
    const item = this.#items.get(key);
    if (item !== undefined) return item;
    if (this.#items.size >= this.#keysMax) {
      this.#refused = true;
      this.#observer.refused?.();
      return undefined;
    }
    const made = createItem(key);
    this.#items.set(key, made);
    return made;
  }

  #mustProcess(key: K): Item<K> {
    const item = this.#items.get(key);
    if (item?.processing) return item;
    throw queueErrors.TAP_QUEUE_NOT_PROCESSING({ message: `key ${key} is not being processed` });
  }

  #makeReady(item: Item<K>): void {
    const { depth, latencyMs } = this.#observer;
    if (latencyMs) item.addedAtMs = this.#clock.nowMs();
    this.#lines.push(item, this.#tenantOf(item.key));
    if (depth) depth(this.depth);
    if (this.#waiters.length > 0) this.#waiters.shift()?.(this.take());
  }

  #delay(item: Item<K>, dueMs: number): void {
    item.dueMs = dueMs;
    this.#heap.push(item);
    this.#alarm.set(dueMs);
  }

  #undelay(item: Item<K>): void {
    this.#heap.remove(item);
    if (this.#heap.size === 0) this.#alarm.clear();
  }

  #wake(): void {
    const nowMs = this.#clock.nowMs();
    for (let item = this.#heap.first; item !== undefined && item.dueMs <= nowMs; item = this.#heap.first) {
      this.#heap.remove(item);
      if (item.processing) item.dirty = true;
      else this.#makeReady(item);
    }
    if (this.#heap.first) this.#alarm.set(this.#heap.first.dueMs);
  }

  #dismiss(item: Item<K>, drain: boolean): void {
    if (!drain) {
      item.dirty = false;
      this.#lines.remove(item);
    }
    item.heapIndex = -1;
    if (!item.processing && item.lane === undefined) this.#items.delete(item.key);
  }

  /** Call after a key left the queue: notifies those who wait for room or for the end. */
  #settle(): void {
    if (this.#refused && !this.#closed && this.#items.size <= this.#keysMax / 2) {
      this.#refused = false;
      this.#onRoom();
    }
    if (!this.#ended()) return;
    for (const waiter of this.#waiters.splice(0)) waiter(undefined);
    for (const idler of this.#idlers.splice(0)) idler();
  }

  /** Whether the queue is closed and empty. Keys in process may still get one more run, so workers wait for these too. */
  #ended(): boolean {
    return this.#closed && this.processing === 0 && this.depth === 0;
  }
}
