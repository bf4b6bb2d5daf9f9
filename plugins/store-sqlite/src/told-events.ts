import type { KeyValue, StoreEvent } from '@tappaas/sdk';
import type { WireResult, WireStamp } from './protocol.js';
import type { Pending } from './writer-link.js';

/** The events of operations that have become durable, in order; failed ones have none. */
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
