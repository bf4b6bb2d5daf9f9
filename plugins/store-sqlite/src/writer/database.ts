import { closeSync, existsSync, fsyncSync, mkdirSync, openSync, rmSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { storeErrors } from '@tappaas/sdk/store';
import { spoolName } from '../spool.js';
import { diskFault } from './disk-fault.js';
import { pageBytes } from './page-size.js';
import { checkWal } from './wal-check.js';

export const fileName = 'store.sqlite';

const busyTimeoutMs = 5_000;
/** `TAPP` in ASCII: the SQLite application id of the file. */
const applicationId = 0x54_41_50_50;
/** Increased whenever an older program could not read what a newer one writes. */
const formatVersion = 1;

const schema = `
  CREATE TABLE log (
    id INTEGER PRIMARY KEY,          -- revision * 2048 + position in the transaction
    key TEXT NOT NULL,
    value BLOB,                      -- NULL: deleted
    create_revision INTEGER NOT NULL,
    version INTEGER NOT NULL,        -- 0: deleted
    lease TEXT,
    checksum INTEGER NOT NULL        -- CRC-32 of all of the above
  );
  CREATE TABLE counter (name TEXT PRIMARY KEY, sum INTEGER NOT NULL) WITHOUT ROWID;
  CREATE TABLE unique_name (name TEXT PRIMARY KEY, holder TEXT NOT NULL) WITHOUT ROWID;
  CREATE TABLE lease (id TEXT PRIMARY KEY, ttl_ms INTEGER NOT NULL) WITHOUT ROWID;
  CREATE TABLE state (
    only INTEGER PRIMARY KEY CHECK (only = 1),
    epoch INTEGER NOT NULL,
    revision INTEGER NOT NULL,
    compacted_revision INTEGER NOT NULL,
    leases_granted INTEGER NOT NULL,
    probe BLOB
  );
  INSERT INTO state VALUES (1, 1, 0, 0, 0, NULL);
  PRAGMA application_id = ${applicationId};
  PRAGMA user_version = ${formatVersion};
`;

/** Creates the directory, durably, readable by its owner only. @throws TAP_STORE_DIRECTORY */
export function makeDirectory(directory: string): void {
  const missing: string[] = [];
  for (let above = resolve(directory); !existsSync(above); above = dirname(above)) missing.push(above);
  // One by one: where nothing can be created, as below /proc, Node's recursive mode tries forever.
  for (const each of missing.toReversed()) {
    try {
      mkdirSync(each, { mode: 0o700 });
      syncDirectory(dirname(each));
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      if (code === 'EEXIST') continue;
      throw storeErrors.TAP_STORE_DIRECTORY({ message: `the data directory ${directory} cannot be made: ${message}`, cause: error });
    }
  }
}

/**
 * Opens the database of a locked directory, configured so that a commit returns only when it is on the disk.
 *
 * @throws TAP_STORE_CORRUPT, TAP_STORE_UNAVAILABLE when the file has a newer format or the file system does not support it
 */
export function openDatabase(directory: string, sizeBytesMax: number | undefined): DatabaseSync {
  const file = join(directory, fileName);
  rmSync(join(directory, spoolName), { force: true });
  if (existsSync(`${file}-wal`)) checkWal(`${file}-wal`);
  let database: DatabaseSync | undefined;
  try {
    // Another program may lock the file for a moment.
    database = new DatabaseSync(file, { timeout: busyTimeoutMs });
    prepareFile(database, file);
    configure(database, file, sizeBytesMax);
    return database;
  } catch (error) {
    database?.close();
    throw diskFault(error, file);
  }
}

function prepareFile(database: DatabaseSync, file: string): void {
  const [application, format] = [pragma(database, 'application_id'), pragma(database, 'user_version')];
  if (application === 0 && format === 0 && pragma(database, 'schema_version') === 0) {
    // WAL mode is set first: it makes the creation of the schema one atomic, durable step.
    database.exec(`PRAGMA page_size = ${pageBytes}; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL`);
    database.exec(`BEGIN IMMEDIATE; ${schema} COMMIT`);
    return syncDirectory(dirname(file));
  }
  if (application !== applicationId) throw storeErrors.TAP_STORE_CORRUPT({ message: `${file} is a database of another program` });
  if (format !== formatVersion) {
    throw storeErrors.TAP_STORE_UNAVAILABLE({
      message: `${file} has format ${String(format)}, this program reads format ${formatVersion}`,
    });
  }
}

function configure(database: DatabaseSync, file: string, sizeBytesMax: number | undefined): void {
  database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 0; PRAGMA cache_size = -16384');
  database.exec('PRAGMA trusted_schema = OFF; PRAGMA temp_store = MEMORY');
  const [journal, synchronous] = [pragma(database, 'journal_mode'), pragma(database, 'synchronous')];
  if (journal !== 'wal' || synchronous !== 2) {
    throw storeErrors.TAP_STORE_UNAVAILABLE({
      message: `${file} cannot be made durable: expected journal mode wal and synchronous 2, found ${String(journal)} and ${String(synchronous)}`,
    });
  }
  if (sizeBytesMax !== undefined)
    database.exec(`PRAGMA max_page_count = ${Math.ceil(sizeBytesMax / Number(pragma(database, 'page_size')))}`);
}

/** Returns the value of a pragma. */
export function pragma(database: DatabaseSync, name: string): unknown {
  return Object.values(database.prepare(`PRAGMA ${name}`).get() ?? {})[0];
}

/** Makes files created in a directory survive a power failure. */
function syncDirectory(directory: string): void {
  if (process.platform === 'win32') return;
  const handle = openSync(directory, 'r');
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}
