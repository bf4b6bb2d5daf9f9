import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';

/** Returns `sha512-…` over the names and contents of package.json and everything in dist, in a fixed order. */
export async function packageIntegrity(directory: string): Promise<string> {
  const entries = await readdir(path.join(directory, 'dist'), { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => path.relative(directory, path.join(entry.parentPath, entry.name)));
  const hash = createHash('sha512');
  for (const file of ['package.json', ...files.map((name) => name.split(path.sep).join('/')).toSorted()]) {
    const content = await readFile(path.join(directory, file));
    hash.update(`${file}\u0000${content.length}\u0000`).update(content);
  }
  return `sha512-${hash.digest('base64')}`;
}
