import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { replaceFile } from '@tappaas/sdk/durable-file';

/** The accepted state of one package. */
export interface LockEntry {
  readonly version: string;
  /** Absent for a linked package, whose files are edited in place. */
  readonly integrity?: string;
  readonly permissions: readonly string[];
}

export type LockEntries = Readonly<Record<string, LockEntry>>;

/** The lock file is beside the configuration file. */
export const lockPathOf = (configFile: string): string => path.join(path.dirname(configFile), 'tappaas.lock');

/** Reads a lock file; `absent` if it does not exist, `damaged` if it cannot be parsed. */
export async function readLock(file: string): Promise<LockEntries | 'absent' | 'damaged'> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOENT' ? 'absent' : 'damaged';
  }
  try {
    const { lockVersion, plugins } = JSON.parse(text) as { lockVersion?: unknown; plugins?: Record<string, LockEntry> };
    const sound = lockVersion === 1 && plugins !== undefined && Object.values(plugins).every(isEntry);
    return sound ? plugins : 'damaged';
  } catch {
    return 'damaged';
  }
}

const isEntry = (entry: LockEntry): boolean => typeof entry.version === 'string' && Array.isArray(entry.permissions);

/** Writes the file atomically, with sorted entries so that diffs are small. */
export async function writeLock(file: string, entries: LockEntries): Promise<void> {
  const plugins = Object.fromEntries(Object.entries(entries).toSorted(([a], [b]) => (a < b ? -1 : 1)));
  await replaceFile(file, `${JSON.stringify({ lockVersion: 1, plugins }, null, 2)}\n`, 0o644);
}
