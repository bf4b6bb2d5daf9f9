import { randomBytes } from 'node:crypto';
import { mkdir, readFile, realpath, stat } from 'node:fs/promises';
import { dirname, join, basename, relative, isAbsolute } from 'node:path';
import { createFile } from '@tappaas/sdk/durable-file';
import { keyBytes } from './cipher.js';
import { errors } from './errors.js';

const groupAndOtherMode = 0o077;

/**
 * Reads the key of a store from its file, which is created if it does not exist.
 *
 * @throws SECRETS_LOCAL_KEY_INSIDE, SECRETS_LOCAL_KEY_EXPOSED, SECRETS_LOCAL_KEY_UNREADABLE
 */
export async function openKeyFile(path: string, directory: string): Promise<Uint8Array> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const real = join(await realpath(dirname(path)), basename(path));
  const way = relative(await realpath(directory), real);
  if (!way.startsWith('..') && !isAbsolute(way)) {
    throw errors.SECRETS_LOCAL_KEY_INSIDE({ message: `key file ${path} lies in ${directory}, with the secrets that it opens` });
  }
  await createFile(real, `${randomBytes(keyBytes).toString('base64')}\n`);
  return readKey(path, real);
}

async function readKey(path: string, real: string): Promise<Uint8Array> {
  const { mode } = await stat(real);
  if ((mode & groupAndOtherMode) !== 0) {
    const found = (mode & 0o777).toString(8);
    throw errors.SECRETS_LOCAL_KEY_EXPOSED({ message: `key file ${path} may be read by others: expected mode 600, found ${found}` });
  }
  const key = Buffer.from((await readFile(real, 'utf8')).trim(), 'base64');
  if (key.byteLength === keyBytes) return key;
  throw errors.SECRETS_LOCAL_KEY_UNREADABLE({ message: `key file ${path} holds no key of ${keyBytes} bytes` });
}
