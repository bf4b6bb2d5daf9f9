import type { DatabaseSync } from 'node:sqlite';
import { rowId } from './key-index.js';
import { Ledger } from './ledger.js';
import { LogTable } from './log-table.js';
import { readFrames, type Frame, type SnapshotHead } from './snapshot-file.js';

/** The input of a restore. */
export interface RestoreOptions {
  readonly database: DatabaseSync;
  readonly directory: string;
  /** The present state. */
  readonly ledger: Ledger;
  /** The spooled snapshot file. */
  readonly file: string;
  readonly pass: (point: 'restore.written' | 'restore.committed') => void;
}

/**
 * Replaces everything by a snapshot in one durable transaction, and reads the result.
 *
 * The new revision is greater than all that either side ever returned, everything before it is compacted, and the epoch is new.
 *
 * @throws TAP_STORE_CORRUPT, or SQLite's error; nothing has changed then
 */
export function restoreSnapshot({ database, directory, ledger, file, pass }: RestoreOptions): Ledger {
  // Reads the whole file before changing anything: damage may show only at its end.
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
  /** Keys put by the same transaction need distinct rows; their order no longer matters. */
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
