import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { storeErrors, type KeyValue } from '@tappaas/sdk/store';
import { checksum } from './checksum.js';
import { revisionOf, rowId, type Version } from './key-index.js';

/** A type alias instead of an interface, so that the library's rows, which have arbitrary columns, can be cast to it. */
type Row = {
  readonly id: number;
  readonly key: string;
  readonly value: Uint8Array | null;
  readonly create_revision: number;
  readonly version: number;
  readonly lease: string | null;
  readonly checksum: number;
};

/** A row in the form that the rest of the writer uses. */
export interface LogRow {
  readonly version: Omit<Version, 'older'>;
  readonly value: Uint8Array;
}

const nothing = new Uint8Array(0);

/** The log: one row per change, in the order of revisions, each with a checksum. */
export class LogTable {
  readonly #file: string;
  readonly #insert: StatementSync;
  readonly #remove: StatementSync;
  readonly #one: StatementSync;
  readonly #all: StatementSync;
  readonly #inside: StatementSync;

  constructor(database: DatabaseSync, file: string) {
    this.#file = file;
    this.#insert = database.prepare('INSERT INTO log VALUES (?, ?, ?, ?, ?, ?, ?)');
    this.#remove = database.prepare('DELETE FROM log WHERE id = ?');
    this.#one = database.prepare('SELECT * FROM log WHERE id = ?');
    this.#all = database.prepare('SELECT * FROM log ORDER BY id');
    this.#inside = database.prepare('SELECT * FROM log WHERE id >= ? AND key >= ? AND key < ? ORDER BY id');
  }

  append(version: Omit<Version, 'older'>, value: Uint8Array | undefined): void {
    const { key, id, createRevision, version: count, lease } = version;
    this.#insert.run(id, key, value ?? null, createRevision, count, lease ?? null, checksum(version, value ?? nothing));
  }

  remove(id: number): void {
    this.#remove.run(id);
  }

  /** The key's state in this version. @throws TAP_STORE_CORRUPT */
  keyValue(version: Version): KeyValue {
    const row = this.#one.get(version.id) as Row | undefined;
    if (row === undefined) throw this.#damaged(`row ${version.id} of ${version.key} is missing`);
    return keyValue(this.#checked(row));
  }

  /** Every row, oldest first. @throws TAP_STORE_CORRUPT */
  *rows(): Generator<LogRow, void, undefined> {
    for (const row of this.#all.iterate()) yield this.#checked(row as Row);
  }

  /** Rows of an interval with revisions greater than `revision`, oldest first. @throws TAP_STORE_CORRUPT */
  *rowsAfter(revision: number, start: string, end: string): Generator<LogRow, void, undefined> {
    for (const row of this.#inside.iterate(rowId(revision + 1, 0), start, end)) yield this.#checked(row as Row);
  }

  #checked(row: Row): LogRow {
    const { id, key, version: count, create_revision: createRevision } = row;
    const version = { id, key, version: count, createRevision, lease: row.lease ?? undefined };
    const value = row.value ?? nothing;
    if (checksum(version, value) !== row.checksum) throw this.#damaged(`the checksum of row ${id} (${key}) differs`);
    return { version, value };
  }

  #damaged(what: string) {
    return storeErrors.TAP_STORE_CORRUPT({ message: `${this.#file} is damaged: ${what}` });
  }
}

/** Converts a row to the form for readers of the store. */
export function keyValue({ version, value }: LogRow): KeyValue {
  const { key, createRevision, version: count, lease } = version;
  return { key, value, createRevision, modRevision: revisionOf(version), version: count, ...(lease !== undefined && { lease }) };
}
