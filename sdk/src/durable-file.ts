import { randomUUID } from 'node:crypto';
import { link, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';

const ownerOnly = 0o600;

/**
 * Writes a file whole or not at all, over one that may be there; on the disk when it resolves.
 *
 * It is written beside and renamed into place, so a crash at any time leaves the old content or the new one, and a reader never meets half.
 * `mode` is 0600 unless given. The folder must exist.
 */
export async function replaceFile(path: string, content: string | Uint8Array, mode: number = ownerOnly): Promise<void> {
  await placeFile(path, content, mode, (draft) => rename(draft, path));
}

/**
 * Makes a file, whole or not at all, unless there is one; says whether it did. Of several that ask at once, one does.
 *
 * `mode` is 0600 unless given. The folder must exist.
 */
export async function createFile(path: string, content: string | Uint8Array, mode: number = ownerOnly): Promise<boolean> {
  try {
    await placeFile(path, content, mode, async (draft) => {
      await link(draft, path);
      await rm(draft);
    });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

async function placeFile(path: string, content: string | Uint8Array, mode: number, place: (draft: string) => Promise<void>): Promise<void> {
  const draft = `${path}.${randomUUID()}.new`;
  try {
    const file = await open(draft, 'wx', mode);
    try {
      await file.writeFile(content);
      await file.sync();
    } finally {
      await file.close();
    }
    await place(draft);
  } catch (error) {
    await rm(draft, { force: true });
    throw error;
  }
  await syncFolder(dirname(path));
}

/** Puts the names in a folder on the disk: a file is there after a crash once its folder is. Windows does that by itself, and opens none. */
export async function syncFolder(path: string): Promise<void> {
  if (process.platform === 'win32') return;
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
