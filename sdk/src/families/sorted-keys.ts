import { compareKeys } from './key-order.js';

const chunkKeysMax = 512;

/**
 * A set of keys that is always sorted: adding and removing take about log n steps, iterating takes time only for the keys visited.
 *
 * Keys are stored in chunks of at most 512, so a change moves few of them.
 */
export class SortedKeys {
  #chunks: string[][] = [];
  #size = 0;

  get size(): number {
    return this.#size;
  }

  has(key: string): boolean {
    const chunk = this.#chunks[this.#chunkOf(key)];
    return chunk !== undefined && chunk[lowerBound(chunk, key)] === key;
  }

  /** Adds a key; returns whether it is new. */
  add(key: string): boolean {
    const index = Math.min(this.#chunkOf(key), Math.max(0, this.#chunks.length - 1));
    const chunk = this.#chunks[index] ?? (this.#chunks[index] = []);
    const at = lowerBound(chunk, key);
    if (chunk[at] === key) return false;
    chunk.splice(at, 0, key);
    this.#size++;
    if (chunk.length > chunkKeysMax) this.#chunks.splice(index + 1, 0, chunk.splice(splitPoint(at, chunk.length)));
    return true;
  }

  /** Removes a key; returns whether it was present. */
  delete(key: string): boolean {
    const index = this.#chunkOf(key);
    const chunk = this.#chunks[index];
    if (chunk === undefined) return false;
    const at = lowerBound(chunk, key);
    if (chunk[at] !== key) return false;
    chunk.splice(at, 1);
    if (chunk.length === 0) this.#chunks.splice(index, 1);
    this.#size--;
    return true;
  }

  /** The keys from `start` (included) to `end` (excluded; default: to the last), in order; the set must not change meanwhile. */
  *between(start: string, end?: string): Generator<string, void, undefined> {
    const first = this.#chunkOf(start);
    for (let index = first; index < this.#chunks.length; index++) {
      const chunk = this.#chunks[index] ?? [];
      for (let at = index === first ? lowerBound(chunk, start) : 0; at < chunk.length; at++) {
        const key = chunk[at] as string;
        if (end !== undefined && compareKeys(key, end) >= 0) return;
        yield key;
      }
    }
  }

  /** The number of keys in the interval, without iterating over it. */
  countBetween(start: string, end?: string): number {
    if (end !== undefined && compareKeys(end, start) <= 0) return 0;
    return (end === undefined ? this.#size : this.#countBefore(end)) - this.#countBefore(start);
  }

  #countBefore(key: string): number {
    const index = this.#chunkOf(key);
    let count = 0;
    for (let before = 0; before < index; before++) count += this.#chunks[before]?.length ?? 0;
    const chunk = this.#chunks[index];
    return chunk === undefined ? count : count + lowerBound(chunk, key);
  }

  /** The first chunk whose last key is not before `key`. */
  #chunkOf(key: string): number {
    let low = 0;
    let high = this.#chunks.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const last = this.#chunks[middle]?.at(-1) as string;
      if (compareKeys(last, key) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** A chunk that grew at its end is split there, so that keys added in order fill their chunks. */
function splitPoint(addedAt: number, length: number): number {
  return addedAt === length - 1 ? length - 1 : length >>> 1;
}

function lowerBound(keys: readonly string[], key: string): number {
  let low = 0;
  let high = keys.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (compareKeys(keys[middle] as string, key) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}
