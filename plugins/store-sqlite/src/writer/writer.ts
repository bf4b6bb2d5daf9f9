import type { DatabaseSync } from 'node:sqlite';
import type { Failpoints, FailpointName } from '../failpoints.js';
import type { WireError, WireOperation, WireQuery, WireResult, Written } from '../protocol.js';
import { wireError } from '../wire-error.js';
import { Batch } from './batch.js';
import { diskFault } from './disk-fault.js';
import { Ledger } from './ledger.js';
import { readEvents, readKey, readRange } from './reader.js';
import { restoreSnapshot } from './restore.js';
import { Snapshots } from './snapshots.js';

/** Options of the writer. */
export interface WriterOptions {
  readonly database: DatabaseSync;
  readonly directory: string;
  /** Approximate size of the write-ahead log at which it is copied into the database file. */
  readonly checkpointBytes: number;
  readonly failpoints: Failpoints | undefined;
}

/** An operation with the values of its puts. */
export interface Work {
  readonly operation: WireOperation;
  readonly values: Uint8Array;
}

const garbageChunk = 500;
/** Estimated bytes of the write-ahead log per batch, besides its values and rows. */
const batchOverheadBytes = 16_384;
const rowOverheadBytes = 160;
const probeBytes = 262_144;

/** The only writer of the database: batches, reads in between, and housekeeping when idle. */
export class Writer {
  readonly #options: WriterOptions;
  readonly #database: DatabaseSync;
  readonly #snapshots = new Snapshots();
  #ledger: Ledger;
  #previousWanted = false;
  #begun = false;
  /** Approximate growth of the write-ahead log since it was last copied. */
  #walBytes = 0;
  /** Whether housekeeping waits for a successful probe, after a failure. */
  #resting = false;

  /** Reads the whole database once. @throws TAP_STORE_CORRUPT */
  constructor(options: WriterOptions) {
    this.#options = options;
    this.#database = options.database;
    this.#ledger = new Ledger(options.database, options.directory);
  }

  get ledger(): Ledger {
    return this.#ledger;
  }

  /** Sets whether results include the previous states of keys. */
  wantPrevious(wanted: boolean): void {
    this.#previousWanted = wanted;
  }

  /** Group commit: all operations in one durable transaction. If it cannot be made durable, none has happened. */
  write(works: readonly Work[]): Written {
    let committing = false;
    let results: readonly WireResult[];
    try {
      this.#pass('batch.begun');
      const batch = new Batch(this.#ledger, () => this.#begin(), this.#previousWanted);
      results = works.map(({ operation, values }) => batch.apply(operation, values));
      if (this.#begun) {
        this.#ledger.saveState();
        committing = true;
        this.#commit('batch.written');
        this.#countWal(works);
      }
    } catch (error) {
      return this.#failed(works, error, committing);
    }
    // From here on nothing may fail the batch: it is on the disk.
    this.#ledger.settle();
    this.#pass('batch.committed');
    return this.#written(results);
  }

  /** Answers a query. @throws errors of the store */
  query(query: WireQuery): unknown {
    try {
      return this.#answer(query);
    } catch (error) {
      this.#rollBack();
      throw diskFault(error, this.#ledger.file);
    }
  }

  /** Does one piece of housekeeping; returns whether more remains. @throws the store's error for a full or failing disk */
  housekeep(): boolean {
    if (this.#resting) return false;
    try {
      if (this.#walBytes >= this.#options.checkpointBytes) this.#checkpoint();
      return this.#collect();
    } catch (error) {
      this.#resting = true;
      this.#rollBack();
      throw diskFault(error, this.#ledger.file);
    }
  }

  /** Closes the database, which merges the write-ahead log into the file. */
  close(): void {
    this.#database.close();
  }

  #begin(): void {
    if (this.#begun) return;
    this.#database.exec('BEGIN IMMEDIATE');
    this.#begun = true;
  }

  #commit(point: FailpointName): void {
    this.#pass(point);
    this.#database.exec('COMMIT');
    this.#begun = false;
  }

  #written(results: readonly WireResult[], broken?: WireError): Written {
    return { results, revision: this.#ledger.revision, sizeBytes: this.#ledger.sizeBytes, ...(broken && { broken }) };
  }

  #failed(works: readonly Work[], error: unknown, committing: boolean): Written {
    this.#rollBack();
    this.#ledger.takeBack();
    this.#resting = true;
    const fault = wireError(diskFault(error, this.#ledger.file, committing));
    return this.#written(
      works.map(() => ({ kind: 'failed', error: fault })),
      fault,
    );
  }

  #rollBack(): void {
    this.#begun = false;
    if (this.#database.isTransaction) this.#database.exec('ROLLBACK');
  }

  #answer(query: WireQuery): unknown {
    switch (query.kind) {
      case 'get':
        return readKey(this.#ledger, query);
      case 'range':
        return readRange(this.#ledger, query);
      case 'events':
        if (query.previous) this.#previousWanted = true;
        return readEvents(this.#ledger, query);
      case 'snapshot':
        return this.#snapshots.open(query.snapshot, this.#ledger);
      case 'snapshot-chunk':
        return this.#snapshots.chunk(query.snapshot, this.#ledger);
      case 'snapshot-end':
        return this.#snapshots.close(query.snapshot);
      case 'restore':
        return this.#restore(query.file);
      case 'probe':
        return this.#probe();
    }
  }

  #restore(file: string): unknown {
    const { directory } = this.#options;
    const pass = (point: FailpointName) => this.#pass(point);
    this.#ledger = restoreSnapshot({ database: this.#database, directory, ledger: this.#ledger, file, pass });
    this.#snapshots.closeAll();
    this.#walBytes = Infinity;
    return this.#ledger.state;
  }

  /**
   * Checks whether the disk accepts writes again: writes as much as a usual batch, and makes the checkpoint that a full disk prevented.
   * Deletes compacted versions first, since that may free the missing space.
   */
  #probe(): void {
    while (this.#collect());
    for (const bytes of [probeBytes, 0]) {
      this.#pass('batch.written');
      this.#database.prepare('UPDATE state SET probe = zeroblob(?)').run(bytes);
    }
    this.#checkpoint();
    this.#resting = false;
  }

  #checkpoint(): void {
    this.#pass('checkpoint.begun');
    this.#database.exec('PRAGMA wal_checkpoint(PASSIVE)');
    this.#walBytes = 0;
    this.#pass('checkpoint.done');
  }

  /** Deletes a chunk of the rows that compaction has made unreadable; returns whether there were any. */
  #collect(): boolean {
    const { keys, log, compactedRevision } = this.#ledger;
    const garbage = keys.garbage(Math.min(compactedRevision, this.#snapshots.oldestRevision), garbageChunk);
    if (garbage.length === 0) return false;
    this.#begin();
    for (const version of garbage) {
      if (version.older !== undefined) log.remove(version.older.id);
      if (version.version === 0) log.remove(version.id);
    }
    this.#commit('compaction.chunk');
    keys.drop(garbage);
    this.#walBytes += batchOverheadBytes + garbage.length * rowOverheadBytes;
    return true;
  }

  #countWal(works: readonly Work[]): void {
    this.#walBytes += works.reduce((sum, { values }) => sum + values.byteLength + rowOverheadBytes, batchOverheadBytes);
  }

  #pass(point: FailpointName): void {
    this.#options.failpoints?.pass(point);
  }
}
