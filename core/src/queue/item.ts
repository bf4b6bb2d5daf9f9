import type { Lane } from './fair-line.js';

/**
 * `under-way`: caused by an earlier run of the key, so that started work finishes before all waiting keys have been started.
 * `low`: existing objects (initial lists, resyncs), so that a fresh change need not wait behind them.
 */
export type Priority = 'under-way' | 'normal' | 'low';

/** A key in the queue. One object per key is used in all lists, so that adding allocates nothing else. */
export interface Item<K> {
  readonly key: K;
  /** Handed out and not done yet. */
  processing: boolean;
  /** Changed while it was processed, so it gets one more run. */
  dirty: boolean;
  priority: Priority;
  failures: number;
  addedAtMs: number;
  dueMs: number;
  /** Position in the heap of delayed items, or -1. */
  heapIndex: number;
  /** The lane in which it waits while it is ready. */
  lane: Lane<K> | undefined;
  previous: Item<K> | undefined;
  next: Item<K> | undefined;
}

export function createItem<K>(key: K): Item<K> {
  return {
    key,
    processing: false,
    dirty: false,
    priority: 'normal',
    failures: 0,
    addedAtMs: 0,
    dueMs: 0,
    heapIndex: -1,
    lane: undefined,
    previous: undefined,
    next: undefined,
  };
}
