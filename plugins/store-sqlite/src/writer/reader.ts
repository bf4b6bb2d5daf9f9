import { storeLimits, type KeyValue, type RangeResult, type StoreEvent } from '@tappaas/sdk/store';
import type { WireEvents, WireQuery } from '../protocol.js';
import { fromWire } from '../wire-error.js';
import { compacted, futureRevision } from './batch.js';
import { revisionOf } from './key-index.js';
import type { Ledger } from './ledger.js';
import { keyValue, type LogRow } from './log-table.js';

/** Approximate number of events in a page, which always ends with a complete revision. */
const eventsPage = 1_000;

/** Reads a key at a revision. @throws TAP_STORE_COMPACTED, TAP_STORE_FUTURE_REVISION, TAP_STORE_CORRUPT */
export function readKey(ledger: Ledger, { key, revision }: Extract<WireQuery, { kind: 'get' }>): KeyValue | undefined {
  const found = ledger.keys.at(key, readable(ledger, revision));
  return found && ledger.log.keyValue(found);
}

/** Reads a page of an interval. @throws the same as {@link readKey} */
export function readRange(ledger: Ledger, query: Extract<WireQuery, { kind: 'range' }>): RangeResult {
  const revision = readable(ledger, query.revision);
  const items: KeyValue[] = [];
  let count = 0;
  let bytes = 0;
  for (const version of ledger.keys.between(query.start, query.end, revision)) {
    const full = items.length === query.itemsMax || bytes >= storeLimits.pageBytesMax;
    // Only past revisions require iterating over the rest to count it; the present one does not.
    if (full && revision === ledger.revision) return { revision, items, more: true, count: ledger.keys.count(query.start, query.end) };
    count++;
    if (full) continue;
    const item = ledger.log.keyValue(version);
    items.push(item);
    bytes += item.value.byteLength;
  }
  return { revision, items, more: items.length < count, count };
}

function readable(ledger: Ledger, revision = ledger.revision): number {
  if (revision > ledger.revision) throw fromWire(futureRevision(revision, ledger.revision));
  if (revision < ledger.compactedRevision) throw fromWire(compacted(revision, ledger.compactedRevision));
  return revision;
}

/** Reads the next events of a watch. @throws TAP_STORE_COMPACTED, TAP_STORE_CORRUPT */
export function readEvents(ledger: Ledger, query: Extract<WireQuery, { kind: 'events' }>): WireEvents {
  const { start, end, afterRevision, previous } = query;
  if (afterRevision < ledger.compactedRevision) {
    throw fromWire(compacted(afterRevision + 1, ledger.compactedRevision + 1));
  }
  const events: StoreEvent[] = [];
  let bytes = 0;
  for (const row of ledger.log.rowsAfter(afterRevision, start, end)) {
    const last = events.at(-1)?.revision;
    const full = events.length >= eventsPage || bytes >= storeLimits.pageBytesMax;
    if (full && last !== undefined && revisionOf(row.version) !== last) return { revision: last, events, complete: false };
    events.push(eventOf(ledger, row, previous));
    bytes += row.value.byteLength;
  }
  return { revision: ledger.revision, events, complete: true };
}

function eventOf(ledger: Ledger, row: LogRow, withPrevious: boolean): StoreEvent {
  const { key, version, id } = row.version;
  const older = withPrevious ? ledger.keys.inRow(key, id)?.older : undefined;
  return {
    key,
    revision: revisionOf(row.version),
    ...(version > 0 && { current: keyValue(row) }),
    ...(older !== undefined && older.version > 0 && { previous: ledger.log.keyValue(older) }),
  };
}
