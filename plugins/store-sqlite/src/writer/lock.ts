import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { storeErrors } from '@tappaas/sdk/store';
import { isBusy } from './disk-fault.js';

/**
 * Locks the data directory for this process until the returned function is called or the process ends, for whatever reason.
 *
 * The lock is SQLite's own, on an empty database beside the data: there are no stale lock files, and other programs can still read the
 * data.
 *
 * @throws TAP_STORE_LOCKED
 */
export function lockDirectory(directory: string): () => void {
  const lock = new DatabaseSync(join(directory, 'lock'));
  try {
    lock.exec('BEGIN EXCLUSIVE');
  } catch (error) {
    lock.close();
    if (!isBusy(error)) throw error;
    throw storeErrors.TAP_STORE_LOCKED({ message: `the data directory ${directory} is used by ${holderOf(directory)}` });
  }
  recordHolder(directory);
  return () => lock.close();
}

const holderFile = (directory: string): string => join(directory, 'holder');

/** Records the process for error messages. The lock does not depend on it, so a full disk does not prevent a start. */
function recordHolder(directory: string): void {
  try {
    writeFileSync(holderFile(directory), `${process.pid}\n`, { mode: 0o600 });
  } catch {
    // The error message then names no process, or an earlier one.
  }
}

function holderOf(directory: string): string {
  try {
    const pid = Number(readFileSync(holderFile(directory), 'utf8'));
    if (pid > 0) return `process ${pid} (to stop it: Ctrl-C in its terminal, or "kill ${pid}")`;
  } catch {
    // An older version did not record its process.
  }
  return 'another process';
}
