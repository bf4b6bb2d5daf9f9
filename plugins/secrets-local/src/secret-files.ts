import { randomBytes } from 'node:crypto';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isTapError, secretErrors, type Context, type SecretBundle, type SecretRef, type SecretStore } from '@tappaas/sdk';
import { replaceFile } from '@tappaas/sdk/durable-file';
import { decrypt, encrypt } from './cipher.js';
import { errors } from './errors.js';
import { openKeyFile } from './key-file.js';
import { fileNameOf } from './secret-path.js';

type Values = SecretBundle['values'];

export interface SecretFilesOptions {
  readonly directory: string;
  readonly keyFile: string;
  /** Maximum size of the names and values of one secret together. */
  readonly secretBytesMax: number;
}

/**
 * A stored secret. The version is not encrypted, so that reading it needs no decryption; the values are encrypted and bound to path and
 * version.
 */
interface Envelope {
  readonly format: 1;
  readonly version: string;
  readonly data: string;
}

/** Opens the store; creates directory and key at the first start. @throws SECRETS_LOCAL_KEY_* */
export async function openSecretFiles(options: SecretFilesOptions): Promise<SecretStore> {
  await mkdir(options.directory, { recursive: true, mode: 0o700 });
  return new SecretFiles(options, await openKeyFile(options.keyFile, options.directory));
}

class SecretFiles implements SecretStore {
  readonly #directory: string;
  readonly #secretBytesMax: number;
  readonly #key: Uint8Array;
  /** The last write of each path in progress; the next one waits for it. */
  readonly #writing = new Map<string, Promise<unknown>>();

  constructor({ directory, secretBytesMax }: SecretFilesOptions, key: Uint8Array) {
    this.#directory = directory;
    this.#secretBytesMax = secretBytesMax;
    this.#key = key;
  }

  async resolve(ref: SecretRef, { signal }: Pick<Context, 'signal'>): Promise<SecretBundle> {
    const { version, data } = await this.#current(ref, signal);
    return { values: this.#open(ref.path, version, data), version };
  }

  async version(ref: SecretRef, { signal }: Pick<Context, 'signal'>): Promise<string> {
    return (await this.#current(ref, signal)).version;
  }

  async write(ref: SecretRef, values: Values, expectedVersion: string | undefined, { signal }: Pick<Context, 'signal'>): Promise<string> {
    const name = fileNameOf(ref.path);
    const before = this.#writing.get(name) ?? Promise.resolve();
    const written = before.then(() => this.#write(ref, name, values, expectedVersion, signal));
    const settled = written.catch(() => {});
    this.#writing.set(name, settled);
    void settled.then(() => {
      if (this.#writing.get(name) === settled) this.#writing.delete(name);
    });
    return written;
  }

  async #write(ref: SecretRef, name: string, values: Values, expectedVersion: string | undefined, signal: AbortSignal): Promise<string> {
    signal.throwIfAborted();
    const plain = this.#encode(ref.path, values);
    const known = await this.#version(ref, signal);
    if (known !== expectedVersion) {
      const message = `secret ${ref.path}: expected version ${expectedVersion ?? 'none'}, found ${known ?? 'none'}`;
      throw secretErrors.TAP_SECRET_CONFLICT({ message });
    }
    const version = nextVersion(known);
    const data = encrypt(this.#key, plain, binding(ref.path, version)).toString('base64');
    const envelope: Envelope = { format: 1, version, data };
    await replaceFile(join(this.#directory, name), JSON.stringify(envelope));
    return version;
  }

  /** The stored version; undefined when the secret does not exist. */
  async #version({ store, path }: SecretRef, signal: AbortSignal): Promise<string | undefined> {
    try {
      return (await this.#current({ store, path }, signal)).version;
    } catch (error) {
      if (isTapError(error, 'TAP_SECRET_NOT_FOUND')) return undefined;
      throw error;
    }
  }

  /** Reads the stored secret; only the current version is kept. */
  async #current({ path, version }: SecretRef, signal: AbortSignal): Promise<Envelope> {
    const envelope = parseEnvelope(path, await this.#read(path, signal));
    if (version === undefined || version === envelope.version) return envelope;
    throw secretErrors.TAP_SECRET_NOT_FOUND({
      message: `secret ${path}: version ${version} is not kept, the current one is ${envelope.version}`,
    });
  }

  async #read(path: string, signal: AbortSignal): Promise<Buffer> {
    const name = fileNameOf(path);
    try {
      return await readFile(join(this.#directory, name), { signal });
    } catch (cause) {
      if (signal.aborted) throw signal.reason;
      const { code = 'unknown' } = cause as NodeJS.ErrnoException;
      if (code === 'ENOENT') throw secretErrors.TAP_SECRET_NOT_FOUND({ message: `there is no secret ${path}` });
      throw secretErrors.TAP_SECRET_UNAVAILABLE({ message: `secret ${path} cannot be read (${code})`, cause });
    }
  }

  #open(path: string, version: string, data: string): Values {
    try {
      const plain = decrypt(this.#key, Buffer.from(data, 'base64'), binding(path, version));
      const stored = JSON.parse(plain.toString()) as Readonly<Record<string, string>>;
      return Object.fromEntries(Object.entries(stored).map(([name, value]) => [name, new Uint8Array(Buffer.from(value, 'base64'))]));
    } catch (cause) {
      throw damaged(path, 'does not open: it was changed, moved, or written with another key', cause);
    }
  }

  #encode(path: string, values: Values): Buffer {
    const entries = Object.entries(values);
    const bytes = entries.reduce((sum, [name, value]) => sum + Buffer.byteLength(name) + value.byteLength, 0);
    if (bytes > this.#secretBytesMax) {
      const message = `secret ${path}: expected at most ${this.#secretBytesMax} bytes, found ${bytes}`;
      throw errors.SECRETS_LOCAL_TOO_LARGE({ message });
    }
    return Buffer.from(JSON.stringify(Object.fromEntries(entries.map(([name, value]) => [name, Buffer.from(value).toString('base64')]))));
  }
}

const binding = (path: string, version: string): string => `${path}\0${version}`;

/** A counter with a random suffix, which distinguishes versions written after two restores of the same backup. */
function nextVersion(version: string | undefined): string {
  const count = Number.parseInt(version ?? '0', 10) + 1;
  return `${count}-${randomBytes(4).toString('hex')}`;
}

function parseEnvelope(path: string, bytes: Buffer): Envelope {
  let envelope: Partial<Envelope> = {};
  try {
    envelope = (JSON.parse(bytes.toString()) ?? {}) as Partial<Envelope>;
  } catch {
    // Reported below, without the content of the file.
  }
  const { format, version, data } = envelope;
  if (format === 1 && typeof version === 'string' && typeof data === 'string') return { format, version, data };
  throw damaged(path, 'is no secret of this store');
}

const damaged = (path: string, what: string, cause?: unknown): Error =>
  errors.SECRETS_LOCAL_DAMAGED({ message: `the file of secret ${path} ${what}`, cause });
