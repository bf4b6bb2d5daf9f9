import { stat } from 'node:fs/promises';
import { chainFiles, everyFile } from './file-names.js';

export interface RetentionLimits {
  /** Maximum bytes of the files of all chains together. */
  readonly totalBytesMax: number;
  /** No file whose last line is older is kept. */
  readonly oldestMs: number;
}

/**
 * The line that a chain is to begin with: files before it are too much or too old. Undefined while all may stay. The file that is written
 * on always stays, and so do those of other chains: each says itself what was removed from it.
 */
export async function firstToKeep(
  directory: string,
  chain: string,
  { totalBytesMax, oldestMs }: RetentionLimits,
): Promise<number | undefined> {
  const sizes = await Promise.all((await everyFile(directory)).map(async (path) => (await found(path))?.size ?? 0));
  const own = await chainFiles(directory, chain);
  let bytes = sizes.reduce((sum, size) => sum + size, 0);
  let kept = 0;
  for (const { path } of own.slice(0, -1)) {
    const file = await found(path);
    if (file !== undefined && bytes <= totalBytesMax && file.mtimeMs >= oldestMs) break;
    bytes -= file?.size ?? 0;
    kept += 1;
  }
  return kept === 0 ? undefined : own[kept]?.first;
}

/** Whether the last line of a chain is older than any is kept; its file goes when another one is begun. */
export async function isLastOld(directory: string, chain: string, { oldestMs }: Pick<RetentionLimits, 'oldestMs'>): Promise<boolean> {
  const last = (await chainFiles(directory, chain)).at(-1);
  const file = last && (await found(last.path));
  return file !== undefined && file.mtimeMs < oldestMs;
}

/** Nothing when another process has just removed it. */
async function found(path: string): Promise<{ readonly size: number; readonly mtimeMs: number } | undefined> {
  try {
    return await stat(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
