import type { Lane } from './fair-line.js';

/**
 * `under-way`: what an earlier run of the key brought about, so that what was begun is ended before all that waits has been begun.
 * `low`: what was there before we looked (initial lists, resyncs), so that a fresh change need not wait behind it.
 */
export type Priority = 'under-way' | 'normal' | 'low';

/** A key the queue knows. One object per key serves every list it stands in, so that adding allocates nothing else. */
export interface Item<K> {
  readonly key: K;
  /** Handed out and not yet done. */
  processing: boolean;
  /** Changed while it was processed: it gets one more run. */
  dirty: boolean;
  priority: Priority;
  failures: number;
  addedAtMs: number;
  dueMs: number;
  /** Place in the heap of delayed items, or -1. */
  heapIndex: number;
  /** The lane in whose line it waits, while it is ready. */
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
