import type { KeyValue, StoreEvent, WatchFeed } from '@tappaas/sdk';

/** Adds the previous values to a watch's events. Batches are delivered one after another, so their order is kept. */
export class PreviousValues {
  readonly #feed: WatchFeed<StoreEvent>;
  readonly #get: (key: string, revision: number) => Promise<KeyValue | undefined>;
  #offered: Promise<void> = Promise.resolve();

  constructor(feed: WatchFeed<StoreEvent>, get: (key: string, revision: number) => Promise<KeyValue | undefined>) {
    this.#feed = feed;
    this.#get = get;
  }

  offer(revision: number, events: readonly StoreEvent[]): void {
    const complete = Promise.all(events.map((event) => this.#withPrevious(event)));
    complete.catch(() => undefined);
    this.#offered = this.#offered
      .then(async () => this.#feed.offer(revision, await complete))
      .catch((error: unknown) => this.#feed.fail(error instanceof Error ? error : new Error(String(error))));
  }

  async #withPrevious(event: StoreEvent): Promise<StoreEvent> {
    const previous = await this.#get(event.key, event.revision - 1);
    return previous === undefined ? event : { ...event, previous };
  }
}
