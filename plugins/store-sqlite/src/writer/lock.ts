import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { storeErrors } from '@tappaas/sdk/store';
import { isBusy } from './disk-fault.js';

/**
 * Takes the data directory for this process until the answer is called or the process ends, however it ends.
 *
 * The lock is SQLite's own, on an empty database beside the data: no stale lock files, and other programs may still read the data.
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
  tellHolder(directory);
  return () => lock.close();
}

const holderFile = (directory: string): string => join(directory, 'holder');

/** For whoever is refused; the lock does not depend on it, so a full disk keeps nobody from starting. */
function tellHolder(directory: string): void {
  try {
    writeFileSync(holderFile(directory), `${process.pid}\n`, { mode: 0o600 });
  } catch {
    // Then the next one is told of another process.
  }
}

function holderOf(directory: string): string {
  try {
    const pid = Number(readFileSync(holderFile(directory), 'utf8'));
    if (pid > 0) return `process ${pid} (to stop it: Ctrl-C in its terminal, or "kill ${pid}")`;
  } catch {
    // An older version did not tell.
  }
  return 'another process';
}
