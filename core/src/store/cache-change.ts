import { cacheEntry, type CacheEntry, type CacheEvent } from './cache-entry.js';

/** Serializes objects, and stamps deleted ones with the revision of their deletion. */
export interface EntryCodec<T> {
  encode(object: T): Uint8Array;
  restamp(object: T, revision: number): T;
}

/** One change of one key, before any watcher's selection is applied. */
export class CacheChange<T> {
  readonly key: string;
  readonly revision: number;
  readonly current: CacheEntry<T> | undefined;
  readonly previous: CacheEntry<T> | undefined;
  /** Size of the stored bytes this change keeps in memory. */
  readonly sizeBytes: number;
  readonly #codec: EntryCodec<T>;
  #farewell: CacheEntry<T> | undefined;

  constructor(change: Pick<CacheChange<T>, 'key' | 'revision' | 'current' | 'previous' | 'sizeBytes'>, codec: EntryCodec<T>) {
    this.key = change.key;
    this.revision = change.revision;
    this.current = change.current;
    this.previous = change.previous;
    this.sizeBytes = change.sizeBytes;
    this.#codec = codec;
  }

  /** Returns the event for a watcher with the selection `matches`; undefined if the object matches neither before nor after the change. */
  eventFor(matches: (entry: CacheEntry<T>) => boolean): CacheEvent<T> | undefined {
    const { revision, current, previous } = this;
    const was = previous !== undefined && matches(previous) ? previous : undefined;
    const is = current !== undefined && matches(current) ? current : undefined;
    if (is !== undefined)
      return was === undefined ? { type: 'added', revision, entry: is } : { type: 'modified', revision, entry: is, previous: was };
    return was === undefined ? undefined : { type: 'deleted', revision, entry: this.#leaving(was), previous: was };
  }

  /** Returns the last state, stamped with the revision of the deletion; it is built once for all watchers. */
  #leaving(last: CacheEntry<T>): CacheEntry<T> {
    const origin = { key: last.key, createRevision: last.createRevision, modRevision: this.revision };
    return (this.#farewell ??= cacheEntry(origin, this.#codec.restamp(last.object, this.revision), (object) => this.#codec.encode(object)));
  }
}
