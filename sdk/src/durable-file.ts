import { randomUUID } from 'node:crypto';
import { link, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';

const ownerOnly = 0o600;
const draftEnding = /\.[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\.new$/;
/** Writing a file never takes this long: an older draft was left by a crash. */
const draftMsMax = 3_600_000;
/** Folders that were searched for drafts, at most `sweptMax`; further folders are not searched. */
const swept = new Set<string>();
const sweptMax = 1_000;

/**
 * Writes a file atomically, replacing an existing one; the content is on the disk when it resolves.
 *
 * The content is written to a draft beside the file and renamed into place, so a crash at any time leaves either the old or the new
 * content, and a reader never sees a part. `mode` is 0600 unless given. The folder must exist.
 */
export async function replaceFile(path: string, content: string | Uint8Array, mode: number = ownerOnly): Promise<void> {
  await placeFile(path, content, mode, (draft) => rename(draft, path));
}

/**
 * Creates a file atomically unless it exists; returns whether it did. Of several concurrent calls, exactly one succeeds.
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
 * Removes drafts that a crash has left beside this one, since they may contain keys, ignoring errors. A folder without other drafts is not
 * searched again; a young draft may belong to a write in progress, so the next write searches again.
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

/** Syncs a folder to the disk, without which a new file may be missing after a crash. Windows does that itself, and cannot open folders. */
export async function syncFolder(path: string): Promise<void> {
  if (process.platform === 'win32') return;
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
