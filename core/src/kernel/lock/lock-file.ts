import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { replaceFile } from '@tappaas/sdk/durable-file';

/** What was accepted of one package. */
export interface LockEntry {
  readonly version: string;
  /** Nothing for a linked package, whose files are worked on in place. */
  readonly integrity?: string;
  readonly permissions: readonly string[];
}

export type LockEntries = Readonly<Record<string, LockEntry>>;

/** Stands beside the configuration file. */
export const lockPathOf = (configFile: string): string => path.join(path.dirname(configFile), 'tappaas.lock');

/** The entries of a lock file; `absent` when there is none yet, `damaged` when it is not one. */
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

/** Writes the whole file at once, sorted, so that a diff shows what changed. */
export async function writeLock(file: string, entries: LockEntries): Promise<void> {
  const plugins = Object.fromEntries(Object.entries(entries).toSorted(([a], [b]) => (a < b ? -1 : 1)));
  await replaceFile(file, `${JSON.stringify({ lockVersion: 1, plugins }, null, 2)}\n`, 0o644);
}
