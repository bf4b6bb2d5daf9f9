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
    throw storeErrors.TAP_STORE_LOCKED({ message: `the data directory ${directory} is used by another process` });
  }
  return () => lock.close();
}
