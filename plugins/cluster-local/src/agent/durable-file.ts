import { open, readFile, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';

/** Replaces a file so that a crash at any time leaves the old text or the new one, and a returned write is on disk. Mode 0600. */
export async function writeDurably(path: string, text: string): Promise<void> {
  const scratch = `${path}.new`;
  const file = await open(scratch, 'w', 0o600);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(scratch, path);
  const folder = await open(dirname(path), 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

/** The parsed content of a JSON file; nothing when it is absent or not whole. */
export async function readJson<T>(path: string): Promise<T | undefined> {
  try {
    return JSON.parse(await readFile(path, 'utf8')) as T;
  } catch (error) {
    if (error instanceof SyntaxError || (error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** Removes a file or a tree; one that is not there is fine. */
export const remove = (path: string): Promise<void> => rm(path, { recursive: true, force: true, maxRetries: 3 });
