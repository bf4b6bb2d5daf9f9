import { keysBetween, type StoreEvent, type WatchQuery } from '@tappaas/sdk';

/** A page of history is about this long; it ends with a whole revision. */
const pageEventsMax = 1_000;

/** A piece of the past; `complete` says that nothing newer exists. */
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

  /** What a watch has to be told after a revision. `newest` is the store's revision. */
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

/** The events that a watch asks for, as it asks for them. */
export function eventsFor(query: WatchQuery, events: readonly StoreEvent[]): StoreEvent[] {
  const inside = keysBetween(query.start, query.end);
  const wanted = events.filter(({ key }) => inside(key));
  return query.previous === true ? wanted : wanted.map(({ key, revision, current }) => ({ key, revision, ...(current && { current }) }));
}
