import type { CacheChange } from './cache-change.js';
import type { CacheEntry } from './cache-entry.js';

/** Limits on how much of the past is kept. */
export interface HistoryLimits {
  readonly eventsMax: number;
  readonly bytesMax: number;
}

/** Recent changes in order; the oldest are dropped as new ones arrive. */
export class CacheHistory<T> {
  readonly #limits: HistoryLimits;
  #changes: (CacheChange<T> | undefined)[] = [];
  /** Index of the oldest kept change; dropped slots before it are removed from the array in batches. */
  #head = 0;
  #bytes = 0;
  #oldest: number;

  /** Starts an empty history: changes after `revision` will be recorded. */
  constructor(limits: HistoryLimits, revision: number) {
    this.#limits = limits;
    this.#oldest = revision;
  }

  /** The oldest revision whose state and subsequent changes are known. */
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

  /** Returns the changes after `revision` in order, in whole revisions: at most `changesMax`, or the rest of one revision beyond that. */
  after(revision: number, changesMax: number): readonly CacheChange<T>[] {
    const from = this.#firstAfter(revision);
    let end = Math.min(from + changesMax, this.#changes.length);
    while (end < this.#changes.length && this.#changes[end]?.revision === this.#changes[end - 1]?.revision) end++;
    return this.#changes.slice(from, end) as CacheChange<T>[];
  }

  /** Returns the state at `revision` of each key that changed after it; undefined where the key did not exist. */
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
    // Empty the slot so that the object can be collected before the array is cut.
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
