import type { DatabaseSync } from 'node:sqlite';
import { rowId } from './key-index.js';
import { Ledger } from './ledger.js';
import { LogTable } from './log-table.js';
import { readFrames, type Frame, type SnapshotHead } from './snapshot-file.js';

/** What a restore needs. */
export interface RestoreOptions {
  readonly database: DatabaseSync;
  readonly directory: string;
  /** What is there now. */
  readonly ledger: Ledger;
  /** The spooled snapshot. */
  readonly file: string;
  readonly pass: (point: 'restore.written' | 'restore.committed') => void;
}

/**
 * Replaces everything by a snapshot, in one durable transaction, and reads the result anew.
 *
 * The revision after it lies beyond all that either side ever told, everything before it is compacted, and the epoch is new.
 *
 * @throws TAP_STORE_CORRUPT and what SQLite throws, leaving everything as it was
 */
export function restoreSnapshot({ database, directory, ledger, file, pass }: RestoreOptions): Ledger {
  // The whole file is read before anything is touched: damage shows at its end at the latest.
  for (const _ of readFrames(file)) void _;
  database.exec('BEGIN IMMEDIATE');
  try {
    database.exec('DELETE FROM log; DELETE FROM counter; DELETE FROM unique_name; DELETE FROM lease');
    const insert = inserter(database, ledger);
    for (const frame of readFrames(file)) insert(frame);
    pass('restore.written');
    database.exec('COMMIT');
  } catch (error) {
    if (database.isTransaction) database.exec('ROLLBACK');
    throw error;
  }
  pass('restore.committed');
  return new Ledger(database, directory);
}

function inserter(database: DatabaseSync, ledger: Ledger): (frame: Frame) => void {
  const log = new LogTable(database, ledger.file);
  const counter = database.prepare('INSERT INTO counter VALUES (?, ?)');
  const unique = database.prepare('INSERT INTO unique_name VALUES (?, ?)');
  const lease = database.prepare('INSERT INTO lease VALUES (?, ?)');
  /** Keys put by the same transaction need rows of their own; their order does not matter any more. */
  const positions = new Map<number, number>();
  return (frame) => {
    if ('key' in frame) {
      const position = positions.get(frame.modRevision) ?? 0;
      positions.set(frame.modRevision, position + 1);
      log.append({ ...frame, id: rowId(frame.modRevision, position), lease: frame.lease }, frame.value);
    } else if ('counter' in frame) {
      counter.run(frame.counter, frame.sum);
    } else if ('unique' in frame) {
      unique.run(frame.unique, frame.holder);
    } else if ('leaseId' in frame) {
      lease.run(frame.leaseId, frame.ttlMs);
    } else {
      saveHead(database, ledger, frame);
    }
  };
}

function saveHead(database: DatabaseSync, ledger: Ledger, snapshot: SnapshotHead): void {
  const epoch = Math.max(ledger.epoch, snapshot.epoch) + 1;
  const revision = Math.max(ledger.revision, snapshot.revision) + 1;
  const granted = Math.max(ledger.leasesGranted, snapshot.leasesGranted);
  database
    .prepare('UPDATE state SET epoch = ?, revision = ?, compacted_revision = ?, leases_granted = ?')
    .run(epoch, revision, revision, granted);
}
