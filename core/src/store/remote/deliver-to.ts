import { keysBetween, type KeyValue, type StoreEvent, type WatchFeed, type WatchQuery } from '@tappaas/sdk';
import { PreviousValues } from './previous-values.js';

/** Delivers events to a live watch. */
export type Deliver = (revision: number, events: readonly StoreEvent[]) => void;

/** Makes the function that delivers to a watch those events that its query selects. */
export function deliverTo(
  feed: WatchFeed<StoreEvent>,
  query: WatchQuery,
  get: (key: string, revision: number) => Promise<KeyValue | undefined>,
): Deliver {
  const inside = keysBetween(query.start, query.end);
  const wanted = (events: readonly StoreEvent[]) => events.filter(({ key }) => inside(key));
  if (query.previous !== true) return (revision, events) => feed.offer(revision, wanted(events));
  const values = new PreviousValues(feed, get);
  return (revision, events) => values.offer(revision, wanted(events));
}

/** The part of a query that determines its history. */
export function wireQuery({ start, end, fromRevision, previous }: WatchQuery): WatchQuery {
  return { start, end, fromRevision, ...(previous === true && { previous }) };
}
