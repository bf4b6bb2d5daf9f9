import type { CacheChange } from './cache-change.js';
import type { CacheEntry, CacheEvent } from './cache-entry.js';

/** What a watch is told of a change; nothing when it does not want it. */
export type EventOf<T> = (change: CacheChange<T>) => CacheEvent<T> | undefined;

const selectionsMax = 1_000;

/**
 * Watches that select the same are told the same events: what thousands of them are asked of one change is found out once. Whose
 * selections have the same name select the same; of at most 1,000 of them the last event is remembered.
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
