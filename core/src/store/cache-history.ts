import type { CacheChange } from './cache-change.js';
import type { CacheEntry } from './cache-entry.js';

/** How much of the past is kept. */
export interface HistoryLimits {
  readonly eventsMax: number;
  readonly bytesMax: number;
}

/** The changes of the recent past in order, the oldest forgotten as new ones come. */
export class CacheHistory<T> {
  readonly #limits: HistoryLimits;
  #changes: (CacheChange<T> | undefined)[] = [];
  /** Changes before this index are forgotten; they are cut off from time to time. */
  #head = 0;
  #bytes = 0;
  #oldest: number;

  /** Knows what happens after `revision`. */
  constructor(limits: HistoryLimits, revision: number) {
    this.#limits = limits;
    this.#oldest = revision;
  }

  /** The oldest revision whose state and sequel are known. */
  get oldestRevision(): number {
    return this.#oldest;
  }

  append(change: CacheChange<T>): void {
    this.#changes.push(change);
    this.#bytes += change.sizeBytes;
    while (this.#changes.length - this.#head > this.#limits.eventsMax || this.#bytes > this.#limits.bytesMax) this.#forgetOne();
    if (this.#head > 1_000 && this.#head > this.#changes.length / 2) {
      this.#changes = this.#changes.slice(this.#head);
      this.#head = 0;
    }
  }

  /** Changes after `revision` in order, at most `changesMax` unless a revision is longer; whole revisions only. */
  after(revision: number, changesMax: number): readonly CacheChange<T>[] {
    const from = this.#firstAfter(revision);
    let end = Math.min(from + changesMax, this.#changes.length);
    while (end < this.#changes.length && this.#changes[end]?.revision === this.#changes[end - 1]?.revision) end++;
    return this.#changes.slice(from, end) as CacheChange<T>[];
  }

  /** What the keys changed after `revision` were at `revision`; undefined: not there. */
  before(revision: number): ReadonlyMap<string, CacheEntry<T> | undefined> {
    const found = new Map<string, CacheEntry<T> | undefined>();
    for (let at = this.#firstAfter(revision); at < this.#changes.length; at++) {
      const { key, previous } = this.#changes[at] as CacheChange<T>;
      if (!found.has(key)) found.set(key, previous);
    }
    return found;
  }

  #forgetOne(): void {
    const gone = this.#changes[this.#head] as CacheChange<T>;
    // The slot is emptied so that the object is free before the array is cut.
    this.#changes[this.#head++] = undefined;
    this.#bytes -= gone.sizeBytes;
    this.#oldest = gone.revision;
  }

  #firstAfter(revision: number): number {
    let low = this.#head;
    let high = this.#changes.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#changes[middle] as CacheChange<T>).revision <= revision) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
