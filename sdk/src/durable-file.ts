import { randomUUID } from 'node:crypto';
import { link, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';

const ownerOnly = 0o600;
const draftEnding = /\.[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\.new$/;
/** Nobody takes that long to write a file: what is older was left by a crash. */
const draftMsMax = 3_600_000;
/** Folders that were looked through for drafts; more are not remembered, nor looked through. */
const swept = new Set<string>();
const sweptMax = 1_000;

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
      await sweepDrafts(draft, (await file.stat()).mtimeMs);
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

/**
 * Removes drafts that a crash has left beside this one, which may hold keys, as far as it can. A folder in which no other draft is left is not looked at
 * again; a young draft may be one that somebody is writing, so the next write looks again.
 */
async function sweepDrafts(own: string, nowMs: number): Promise<void> {
  const folder = dirname(own);
  if (swept.has(folder) || swept.size >= sweptMax) return;
  swept.add(folder);
  const names = await readdir(folder).catch(() => []);
  for (const name of names.filter((each) => draftEnding.test(each))) {
    const draft = join(folder, name);
    const found = await stat(draft).catch(() => undefined);
    if (found === undefined || draft === own) continue;
    if (found.mtimeMs < nowMs - draftMsMax) await rm(draft, { force: true }).catch(() => undefined);
    else swept.delete(folder);
  }
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
