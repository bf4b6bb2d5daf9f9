import type { CacheChange } from './cache-change.js';
import type { CacheEntry, CacheEvent } from './cache-entry.js';

/** Returns the event of a change for a watch, or undefined when the watch does not select it. */
export type EventOf<T> = (change: CacheChange<T>) => CacheEvent<T> | undefined;

const selectionsMax = 1_000;

/**
 * Computes the event of each change once for all watches with the same named selection, of which there may be thousands. Equal names must
 * mean equal selections. Remembers the last event of each of at most 1,000 selections.
 */
export class SharedEvents<T> {
  readonly #known = new Map<string, EventOf<T>>();

  eventOf(name: string | undefined, matches: (entry: CacheEntry<T>) => boolean): EventOf<T> {
    if (name === undefined) return (change) => change.eventFor(matches);
    const known = this.#known.get(name);
    if (known !== undefined) return known;
    if (this.#known.size >= selectionsMax) this.#known.clear();
    const made = remembering(matches);
    this.#known.set(name, made);
    return made;
  }
}

function remembering<T>(matches: (entry: CacheEntry<T>) => boolean): EventOf<T> {
  let last: CacheChange<T> | undefined;
  let event: CacheEvent<T> | undefined;
  return (change) => {
    if (change === last) return event;
    event = change.eventFor(matches);
    last = change;
    return event;
  };
}
