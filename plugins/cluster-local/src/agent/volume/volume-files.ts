import { chmod, mkdir, readdir, readlink, rename, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { remove } from '../removal.js';

/** A file of a volume; `path` is relative to the volume. */
export interface VolumeFile {
  readonly path: string;
  readonly content: Uint8Array;
  readonly mode: number;
}

const data = '..data';

/**
 * Replaces the files of a volume atomically: a reader sees the old set or the new one, never a mixture.
 *
 * The files are in a folder of their own; `..data` is a link to it, and every top-level name is a link through `..data`.
 */
export async function writeVolume(directory: string, files: readonly VolumeFile[], version: string): Promise<void> {
  await mkdir(directory, { recursive: true, mode: 0o755 });
  const folder = `..${version}`;
  const present = await readlink(join(directory, data)).catch(() => undefined);
  if (present === folder) return;
  await remove(join(directory, folder));
  for (const { path, content, mode } of files) {
    const target = join(directory, folder, ...partsOf(path));
    await mkdir(dirname(target), { recursive: true, mode: 0o755 });
    await writeFile(target, content, { mode: 0o600 });
    await chmod(target, mode);
  }
  await mkdir(join(directory, folder), { recursive: true });
  await remove(join(directory, `${data}.new`));
  await symlink(folder, join(directory, `${data}.new`));
  await rename(join(directory, `${data}.new`), join(directory, data));
  const wanted = new Set(files.map(({ path }) => partsOf(path)[0] ?? ''));
  for (const name of await readdir(directory)) if (!name.startsWith('..') && !wanted.has(name)) await remove(join(directory, name));
  for (const name of wanted) await symlink(join(data, name), join(directory, name)).catch(ignoreExisting);
  if (present !== undefined) await remove(join(directory, present));
}

/** Splits a path into segments. @throws when it leads outside the volume */
function partsOf(path: string): readonly string[] {
  const parts = path.split('/').filter((part) => part !== '' && part !== '.');
  if (parts.length === 0 || parts.includes('..') || path.startsWith('/') || path.includes('\0') || parts[0]?.startsWith('..')) {
    throw new Error(`"${path}" is not a path inside a volume`);
  }
  return parts;
}

const ignoreExisting = (error: NodeJS.ErrnoException): void => {
  if (error.code !== 'EEXIST') throw error;
};
