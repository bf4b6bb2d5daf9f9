import { randomBytes } from 'node:crypto';
import { link, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';

const ownerOnly = 0o600;

/** Replaces a file whole or not at all, readable by its owner only; on the disk when it resolves. */
export async function replaceFile(path: string, content: Uint8Array): Promise<void> {
  await besides(path, content, (temporary) => rename(temporary, path));
}

/** Makes a file unless there is one; says whether it did. */
export async function createFile(path: string, content: Uint8Array): Promise<boolean> {
  try {
    await besides(path, content, (temporary) => link(temporary, path));
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

async function besides(path: string, content: Uint8Array, place: (temporary: string) => Promise<void>): Promise<void> {
  const temporary = `${path}.${randomBytes(6).toString('hex')}.new`;
  try {
    const file = await open(temporary, 'wx', ownerOnly);
    try {
      await file.writeFile(content);
      await file.sync();
    } finally {
      await file.close();
    }
    await place(temporary);
    await syncDirectory(dirname(path));
  } finally {
    await rm(temporary, { force: true });
  }
}

async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, 'r');
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}
