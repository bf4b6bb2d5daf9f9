/** One object as every reader sees it: frozen, shared, serialised at most once. */
export interface CacheEntry<T> {
  readonly key: string;
  readonly object: T;
  readonly createRevision: number;
  /** The store revision that wrote this state (`modRevision` of the key). */
  readonly revision: number;
  /** The object as it goes over the wire; made at the first reading and kept. */
  readonly json: Uint8Array;
}

/**
 * One change as a watcher of a selection sees it.
 *
 * An object that begins to match is `added` and one that stops matching is `deleted`, whatever happened to the object itself.
 * `entry` of a deletion is the last matching state, re-stamped with the revision of the deletion.
 */
export interface CacheEvent<T> {
  readonly type: 'added' | 'modified' | 'deleted';
  readonly revision: number;
  readonly entry: CacheEntry<T>;
  /** What stood there before, unless it is an addition. */
  readonly previous?: CacheEntry<T>;
}
