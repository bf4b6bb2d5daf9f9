import { basename, join } from 'node:path';
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { storeErrors } from '@tappaas/sdk/store';
import type { WireState } from '../protocol.js';
import { ClaimIndex } from './claim-index.js';
import { fileName, pragma } from './database.js';
import { sqliteCode } from './disk-fault.js';
import { Journal } from './journal.js';
import { KeyIndex, revisionOf } from './key-index.js';
import { LeaseIndex } from './lease-index.js';
import { LogTable } from './log-table.js';

interface StateRow {
  readonly epoch: number;
  readonly revision: number;
  readonly compacted_revision: number;
  readonly leases_granted: number;
}

/** The state of the store: the tables on disk and the indexes in memory, kept in step. Values are on disk only. */
export class Ledger {
  readonly database: DatabaseSync;
  readonly file: string;
  readonly journal = new Journal();
  readonly log: LogTable;
  readonly keys = new KeyIndex(this.journal);
  readonly claims = new ClaimIndex(this.journal);
  readonly leases = new LeaseIndex(this.journal);
  readonly #pages: StatementSync;
  readonly #pageBytes: number;
  #sizeBytes = 0;
  #epoch = 0;
  #revision = 0;
  #compacted = 0;
  #leasesGranted = 0;
  readonly #statements: Record<'counter' | 'noCounter' | 'unique' | 'noUnique' | 'lease' | 'noLease' | 'state', StatementSync>;

  /** Reads everything once, checking every row. @throws TAP_STORE_CORRUPT */
  constructor(database: DatabaseSync, directory: string) {
    this.database = database;
    this.file = join(directory, fileName);
    this.log = new LogTable(database, this.file);
    this.#pages = database.prepare('PRAGMA page_count');
    this.#pageBytes = Number(pragma(database, 'page_size'));
    this.#statements = {
      counter: database.prepare('INSERT OR REPLACE INTO counter VALUES (?, ?)'),
      noCounter: database.prepare('DELETE FROM counter WHERE name = ?'),
      unique: database.prepare('INSERT OR REPLACE INTO unique_name VALUES (?, ?)'),
      noUnique: database.prepare('DELETE FROM unique_name WHERE name = ?'),
      lease: database.prepare('INSERT INTO lease VALUES (?, ?)'),
      noLease: database.prepare('DELETE FROM lease WHERE id = ?'),
      state: database.prepare('UPDATE state SET epoch = ?, revision = ?, compacted_revision = ?, leases_granted = ?'),
    };
    this.#load();
  }

  get epoch(): number {
    return this.#epoch;
  }

  get revision(): number {
    return this.#revision;
  }

  get compactedRevision(): number {
    return this.#compacted;
  }

  get leasesGranted(): number {
    return this.#leasesGranted;
  }

  get state(): WireState {
    return {
      epoch: this.#epoch,
      revision: this.#revision,
      compactedRevision: this.#compacted,
      leases: this.leases.all(),
      sizeBytes: this.sizeBytes,
    };
  }

  /** Size of the file without its write-ahead log; the last known size while the disk fails. */
  get sizeBytes(): number {
    try {
      this.#sizeBytes = Number(this.#pages.get()?.['page_count']) * this.#pageBytes;
    } catch (error) {
      if (sqliteCode(error) === undefined) throw error;
    }
    return this.#sizeBytes;
  }

  setRevision(revision: number): void {
    const before = this.#revision;
    this.#revision = revision;
    this.journal.record(() => (this.#revision = before));
  }

  setCompacted(revision: number): void {
    const before = this.#compacted;
    this.#compacted = revision;
    this.journal.record(() => (this.#compacted = before));
  }

  /** Returns an id that was never used before, not even before a restore. */
  nextLeaseId(): string {
    this.#leasesGranted++;
    this.journal.record(() => this.#leasesGranted--);
    return `${this.#epoch}-${this.#leasesGranted}`;
  }

  saveLease(id: string, ttlMs: number | undefined): void {
    if (ttlMs === undefined) this.#statements.noLease.run(id);
    else this.#statements.lease.run(id, ttlMs);
  }

  /** Writes the batch's changes outside the log. */
  saveState(): void {
    const { counter, noCounter, unique, noUnique, state } = this.#statements;
    const { counters, uniques, touched } = this.claims;
    for (const name of touched.counters) {
      const sum = counters.get(name);
      if (sum === undefined) noCounter.run(name);
      else counter.run(name, sum);
    }
    for (const name of touched.uniques) {
      const holder = uniques.get(name);
      if (holder === undefined) noUnique.run(name);
      else unique.run(name, holder);
    }
    state.run(this.#epoch, this.#revision, this.#compacted, this.#leasesGranted);
  }

  /** Called when the batch is durable. */
  settle(): void {
    this.journal.settle();
    this.#forgetTouched();
  }

  /** Called when the batch is not on the disk: restores memory to the state of the disk. */
  takeBack(): void {
    this.journal.undoTo(0);
    this.#forgetTouched();
  }

  #forgetTouched(): void {
    this.claims.touched.counters.clear();
    this.claims.touched.uniques.clear();
  }

  #load(): void {
    const { database } = this;
    const state = database.prepare('SELECT * FROM state').get() as StateRow | undefined;
    if (state === undefined) throw this.#damaged('its state is missing');
    this.#epoch = state.epoch;
    this.#revision = state.revision;
    this.#compacted = state.compacted_revision;
    this.#leasesGranted = state.leases_granted;
    for (const { id, ttl_ms: ttlMs } of database.prepare('SELECT * FROM lease').iterate()) {
      this.leases.add({ id: String(id), ttlMs: Number(ttlMs) });
    }
    for (const { name, sum } of database.prepare('SELECT * FROM counter').iterate()) this.claims.counters.set(String(name), Number(sum));
    for (const { name, holder } of database.prepare('SELECT * FROM unique_name').iterate())
      this.claims.uniques.set(String(name), String(holder));
    for (const { version } of this.log.rows()) {
      if (revisionOf(version) > this.#revision) throw this.#damaged(`row ${version.id} lies beyond revision ${this.#revision}`);
      this.leases.follow(this.keys.put(version));
      this.journal.settle();
    }
    this.journal.settle();
  }

  #damaged(what: string) {
    return storeErrors.TAP_STORE_CORRUPT({ message: `${basename(this.file)} is damaged: ${what}` });
  }
}
