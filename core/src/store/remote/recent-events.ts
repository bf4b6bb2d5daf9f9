import type { StoreEvent } from '@tappaas/sdk';

const eventsMax = 10_000;

/** The last events received, from which a watch that has read history takes those that arrived in the meantime. */
export class RecentEvents {
  #events: StoreEvent[] = [];
  /** All events after this revision are kept. */
  #after: number;

  constructor(afterRevision: number) {
    this.#after = afterRevision;
  }

  append(events: readonly StoreEvent[]): void {
    for (const event of events) this.#events.push(event);
    if (this.#events.length <= 2 * eventsMax) return;
    const cut = this.#events.length - eventsMax;
    this.#after = (this.#events[cut] as StoreEvent).revision;
    this.#events = this.#events.slice(cut).filter(({ revision }) => revision > this.#after);
  }

  /** Returns all events after a revision; undefined when some of them have been dropped. */
  after(revision: number): readonly StoreEvent[] | undefined {
    if (revision < this.#after) return undefined;
    let from = this.#events.length;
    while (from > 0 && (this.#events[from - 1] as StoreEvent).revision > revision) from -= 1;
    return this.#events.slice(from);
  }
}
