import type { Lane } from './fair-line.js';

/** A key the queue knows. One object per key serves every list it stands in, so that adding allocates nothing else. */
export interface Item<K> {
  readonly key: K;
  /** Handed out and not yet done. */
  processing: boolean;
  /** Changed while it was processed: it gets one more run. */
  dirty: boolean;
  low: boolean;
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
    low: false,
    failures: 0,
    addedAtMs: 0,
    dueMs: 0,
    heapIndex: -1,
    lane: undefined,
    previous: undefined,
    next: undefined,
  };
}
