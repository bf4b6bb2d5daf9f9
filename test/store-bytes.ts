/** What the store of a platform keeps on disk, for tests that search it for secrets. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { PlatformHome } from './platform-process.ts';

/** The bytes of all files of the store, the write-ahead log included. */
export async function storeBytes({ directory }: PlatformHome): Promise<Buffer> {
  const folder = join(directory, 'data/store');
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  return Buffer.concat(await Promise.all(files.map((file) => readFile(file))));
}
