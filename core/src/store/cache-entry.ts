import type { KeyValue } from '@tappaas/sdk';

/** One object as every reader sees it: frozen, shared, and serialized at most once. */
export interface CacheEntry<T> {
  readonly key: string;
  readonly object: T;
  readonly createRevision: number;
  /** The store revision that wrote this state (`modRevision` of the key). */
  readonly revision: number;
  /** The object as it goes over the wire. Computed on first access, and kept until memory is needed elsewhere. */
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
  /** The previous state; absent for an addition. */
  readonly previous?: CacheEntry<T>;
}

/** The key and revisions from which an entry is made. */
export type EntryOrigin = Pick<KeyValue, 'key' | 'createRevision' | 'modRevision'>;

/** Makes an entry that is serialized on first access to its bytes. */
export function cacheEntry<T>(origin: EntryOrigin, object: T, encode: (object: T) => Uint8Array): CacheEntry<T> {
  return new LazyEntry(origin, object, encode);
}

class LazyEntry<T> implements CacheEntry<T> {
  readonly key: string;
  readonly object: T;
  readonly createRevision: number;
  readonly revision: number;
  readonly #encode: (object: T) => Uint8Array;
  #json: WeakRef<Uint8Array> | undefined;

  constructor(origin: EntryOrigin, object: T, encode: (object: T) => Uint8Array) {
    this.key = origin.key;
    this.object = object;
    this.createRevision = origin.createRevision;
    this.revision = origin.modRevision;
    this.#encode = encode;
  }

  get json(): Uint8Array {
    const known = this.#json?.deref();
    if (known) return known;
    const made = this.#encode(this.object);
    this.#json = new WeakRef(made);
    return made;
  }
}
