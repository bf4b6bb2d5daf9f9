import { randomBytes } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { createFile, replaceFile } from '@tappaas/sdk/durable-file';
import { decrypt, encrypt, keyBytes } from './authenticated-cipher.js';
import { sealErrors } from './errors.js';
import type { KeyService, WrappedKey } from './key-service.js';

/** Maximum number of keys in a file; retire old ones after `tappaas secrets reencrypt`. */
export const keysMax = 64;

interface KeyRing {
  readonly current: string;
  readonly keys: Readonly<Record<string, string>>;
}

/** Key-encryption keys in a file of the platform's own, which must be outside the data directory and its backups. */
export class KeyFile implements KeyService {
  readonly #path: string;
  #ring: KeyRing;

  private constructor(path: string, ring: KeyRing) {
    this.#path = path;
    this.#ring = ring;
  }

  /** Reads the file, or creates it at the first start, readable by its owner only. @throws TAP_SEAL_KEY_FILE, TAP_SEAL_KEY_EXPOSED */
  static async open(path: string): Promise<KeyFile> {
    const made = ringWith({ current: '', keys: {} });
    const isNew = await writeNew(path, made);
    return new KeyFile(path, isNew ? made : await readRing(path));
  }

  get currentKeyId(): string {
    return this.#ring.current;
  }

  get keyIds(): readonly string[] {
    return Object.keys(this.#ring.keys);
  }

  wrap(dataKey: Uint8Array, binding: Uint8Array): WrappedKey {
    const keyId = this.#ring.current;
    return { keyId, bytes: encrypt(this.#key(keyId), dataKey, boundTo(keyId, binding)) };
  }

  unwrap({ keyId, bytes }: WrappedKey, binding: Uint8Array): Uint8Array {
    return decrypt(this.#key(keyId), bytes, boundTo(keyId, binding), 'a data key');
  }

  /** Adds a key that wraps from now on; older keys still unwrap. Returns its id. */
  async rotate(): Promise<string> {
    if (this.keyIds.length >= keysMax) {
      throw sealErrors.TAP_SEAL_KEY_FILE({ message: `${this.#path} holds ${keysMax} keys already; reencrypt and retire old ones` });
    }
    await this.#replace(ringWith(this.#ring));
    return this.#ring.current;
  }

  /**
   * Removes a key permanently; allowed only when nothing wrapped by it is left. @throws TAP_SEAL_KEY_UNKNOWN for the current or an unknown
   * key
   */
  async retire(keyId: string): Promise<void> {
    const { [keyId]: retired, ...keys } = this.#ring.keys;
    if (retired === undefined || keyId === this.#ring.current) {
      throw sealErrors.TAP_SEAL_KEY_UNKNOWN({
        message: `key ${keyId} is ${retired === undefined ? 'not in the key file' : 'the current one'}`,
      });
    }
    await this.#replace({ ...this.#ring, keys });
  }

  /** Reads the file again, after another process has changed it. */
  async reread(): Promise<void> {
    this.#ring = await readRing(this.#path);
  }

  async #replace(ring: KeyRing): Promise<void> {
    await replaceFile(this.#path, textOf(ring));
    this.#ring = ring;
  }

  #key(keyId: string): Uint8Array {
    const key = Object.hasOwn(this.#ring.keys, keyId) ? this.#ring.keys[keyId] : undefined;
    if (key === undefined) throw sealErrors.TAP_SEAL_KEY_UNKNOWN({ message: `key ${keyId} is not in the key file` });
    return Buffer.from(key, 'base64');
  }
}

const boundTo = (keyId: string, binding: Uint8Array): Uint8Array => Buffer.concat([Buffer.from(`${keyId}\0`), binding]);

function ringWith({ keys }: KeyRing): KeyRing {
  const keyId = `key-${randomBytes(6).toString('hex')}`;
  return { current: keyId, keys: { ...keys, [keyId]: randomBytes(keyBytes).toString('base64') } };
}

/** Creates the file atomically and durably: a key in use must not be lost to a power failure, nor created twice by concurrent starts. */
async function writeNew(path: string, ring: KeyRing): Promise<boolean> {
  try {
    return await createFile(path, textOf(ring));
  } catch (error) {
    throw sealErrors.TAP_SEAL_KEY_FILE({ message: `${path} cannot be made`, cause: error });
  }
}

const textOf = (ring: KeyRing): string => `${JSON.stringify(ring, undefined, 2)}\n`;

async function readRing(path: string): Promise<KeyRing> {
  const { mode } = await stat(path);
  if ((mode & 0o077) !== 0) {
    const found = (mode & 0o777).toString(8);
    throw sealErrors.TAP_SEAL_KEY_EXPOSED({ message: `${path} may be read by others: expected mode 600, found ${found}` });
  }
  const ring = parseRing(await readFile(path, 'utf8'));
  if (ring) return ring;
  throw sealErrors.TAP_SEAL_KEY_FILE({ message: `${path} is not a key file` });
}

function parseRing(text: string): KeyRing | undefined {
  try {
    const { current, keys } = JSON.parse(text) as KeyRing;
    const isWhole = Object.values(keys).every((key) => Buffer.from(key, 'base64').byteLength === keyBytes);
    return isWhole && typeof keys[current] === 'string' ? { current, keys } : undefined;
  } catch {
    return undefined;
  }
}
