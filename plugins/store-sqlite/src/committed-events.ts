import { keysBetween, type KeyValue, type StoreEvent, type WatchQuery } from '@tappaas/sdk';
import type { WireResult, WireStamp } from './protocol.js';
import type { Pending } from './writer-link.js';

/** The events of operations that have become durable, in order; failed operations have none. */
export function eventsOf(works: readonly Pending[], results: readonly WireResult[]): readonly StoreEvent[] {
  return works.flatMap((work, index) => {
    const result = results[index];
    if (result?.kind === 'done') return changeEvents(work, result.revision, result.stamps);
    if (result?.kind === 'revoked') {
      return result.keys.map((key, at) => event(key, result.revision, undefined, result.stamps[at] as WireStamp));
    }
    return [];
  });
}

function changeEvents({ operation, values }: Pending, revision: number, stamps: readonly WireStamp[]): readonly StoreEvent[] {
  if (operation.kind !== 'transact') return [];
  let puts = 0;
  return operation.changes.flatMap(({ key, length, lease }, index) => {
    const stamp = stamps[index] as WireStamp;
    if (stamp.createRevision === 0) return [];
    if (length < 0) return [event(key, revision, undefined, stamp)];
    const { createRevision, version } = stamp;
    const value = values[puts++] as Uint8Array;
    const current = { key, value, createRevision, modRevision: revision, version, ...(lease !== undefined && { lease }) };
    return [event(key, revision, current, stamp)];
  });
}

function event(key: string, revision: number, current: KeyValue | undefined, { previous }: WireStamp): StoreEvent {
  return { key, revision, ...(current && { current }), ...(previous && { previous }) };
}

/** Returns a function that selects the events of a watch, in the form that the watch requested. */
export function selector({ start, end, previous }: WatchQuery): (events: readonly StoreEvent[]) => readonly StoreEvent[] {
  const inside = keysBetween(start, end);
  const plain = ({ key, revision, current }: StoreEvent): StoreEvent => ({ key, revision, ...(current && { current }) });
  return (events) => {
    const wanted = events.filter(({ key }) => inside(key));
    // Previous states that other watches requested are left out.
    return previous === true ? wanted : wanted.map((event) => (event.previous === undefined ? event : plain(event)));
  };
}
