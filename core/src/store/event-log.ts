import { keysBetween, type StoreEvent, type WatchQuery } from '@tappaas/sdk';

/** Approximate length of a page of history; a page always ends with a whole revision. */
const pageEventsMax = 1_000;

/** A page of history; `complete` means that no newer events exist. */
export interface LogPage {
  readonly revision: number;
  readonly events: readonly StoreEvent[];
  readonly complete: boolean;
}

/** All events since the last compaction, in order. */
export class EventLog {
  #events: StoreEvent[] = [];

  append(events: readonly StoreEvent[]): void {
    for (const event of events) this.#events.push(event);
  }

  /** Returns the events that a watch needs after a revision. `newest` is the store's revision. */
  after(revision: number, query: WatchQuery, newest: number): LogPage {
    const from = this.#firstAfter(revision);
    let end = Math.min(from + pageEventsMax, this.#events.length);
    const last = this.#events[end - 1]?.revision;
    while (end < this.#events.length && this.#events[end]?.revision === last) end++;
    const complete = end === this.#events.length;
    return {
      revision: complete ? newest : (last as number),
      events: eventsFor(query, this.#events.slice(from, end)),
      complete,
    };
  }

  /** Drops the events at and before `revision`. */
  forget(revision: number): void {
    this.#events = this.#events.slice(this.#firstAfter(revision));
  }

  #firstAfter(revision: number): number {
    let low = 0;
    let high = this.#events.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#events[middle] as StoreEvent).revision <= revision) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** Filters events by the key range of a watch, and drops previous values unless the watch requested them. */
export function eventsFor(query: WatchQuery, events: readonly StoreEvent[]): StoreEvent[] {
  const inside = keysBetween(query.start, query.end);
  const wanted = events.filter(({ key }) => inside(key));
  return query.previous === true ? wanted : wanted.map(({ key, revision, current }) => ({ key, revision, ...(current && { current }) }));
}
