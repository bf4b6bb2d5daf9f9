import { stat } from 'node:fs/promises';
import { chainFiles, everyFile } from './file-names.js';

export interface RetentionLimits {
  /** Maximum number of bytes of the files of all chains together. */
  readonly totalBytesMax: number;
  /** Files whose last line is older than this time are removed, milliseconds since the epoch. */
  readonly oldestMs: number;
}

/**
 * The first line of a chain that is kept: files before it are too large together or too old. Undefined if all files are kept. The file
 * being written is always kept. Files of other chains are not considered, since each chain records its own removals.
 */
export async function firstToKeep(
  directory: string,
  chain: string,
  { totalBytesMax, oldestMs }: RetentionLimits,
): Promise<number | undefined> {
  const sizes = await Promise.all((await everyFile(directory)).map(async (path) => (await found(path))?.size ?? 0));
  const own = await chainFiles(directory, chain);
  let bytes = sizes.reduce((sum, size) => sum + size, 0);
  let stored = 0;
  for (const { path } of own.slice(0, -1)) {
    const file = await found(path);
    if (file !== undefined && bytes <= totalBytesMax && file.mtimeMs >= oldestMs) break;
    bytes -= file?.size ?? 0;
    stored += 1;
  }
  return stored === 0 ? undefined : own[stored]?.first;
}

/** Whether the last line of a chain is too old; its file is removed once another one is started. */
export async function isLastOld(directory: string, chain: string, { oldestMs }: Pick<RetentionLimits, 'oldestMs'>): Promise<boolean> {
  const last = (await chainFiles(directory, chain)).at(-1);
  const file = last && (await found(last.path));
  return file !== undefined && file.mtimeMs < oldestMs;
}

/** Undefined when another process has just removed the file. */
async function found(path: string): Promise<{ readonly size: number; readonly mtimeMs: number } | undefined> {
  try {
    return await stat(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
