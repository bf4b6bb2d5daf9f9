import { mkdir, readFile, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { replaceFile } from '@tappaas/sdk/durable-file';
import { apiErrors } from '../errors.js';

const ownerOnly = 0o600;
const others = 0o077;

/**
 * Returns the text of a file that only its owner may read; undefined if it does not exist.
 *
 * @throws TAP_FILE_EXPOSED when others can read or write it, because its content may be compromised
 */
export async function readPrivateFile(path: string): Promise<string | undefined> {
  try {
    const { mode } = await stat(path);
    const isExposed = process.platform !== 'win32' && (mode & others) !== 0;
    if (isExposed)
      throw apiErrors.TAP_FILE_EXPOSED({ message: `${path} is open to others (mode ${(mode & 0o777).toString(8)}), expected 600` });
    return await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** Writes the whole file or nothing; it is never readable by others, not even for a moment. Creates missing directories. */
export async function writePrivateFile(path: string, text: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  await replaceFile(path, text, ownerOnly);
}
