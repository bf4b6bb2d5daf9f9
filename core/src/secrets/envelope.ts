import { randomBytes } from 'node:crypto';
import type { Awaitable } from '@tappaas/sdk';
import { decrypt, encrypt, keyBytes } from './authenticated-cipher.js';
import { sealErrors } from './errors.js';
import type { KeyService } from './key-service.js';

/** What an envelope is bound to: bytes moved to another key or object cannot be opened. */
export interface Binding {
  readonly key: string;
  readonly uid: string;
}

/** Seals stored bytes, each under its own data key. */
export interface Sealer {
  seal(plain: Uint8Array, binding: Binding): Awaitable<Uint8Array>;
  /** @throws TAP_SEAL_BROKEN, TAP_SEAL_KEY_UNKNOWN */
  open(sealed: Uint8Array, key: string): Awaitable<Uint8Array>;
  /** Whether bytes are an envelope. */
  isSealed(bytes: Uint8Array): boolean;
  /** Whether the envelope uses the current key-encryption key. */
  isCurrent(sealed: Uint8Array): boolean;
  /** Opens an envelope and seals it again with the same binding. */
  reseal(sealed: Uint8Array, key: string): Promise<Uint8Array>;
}

interface Envelope {
  readonly sealed: 1;
  readonly keyId: string;
  readonly uid: string;
  readonly dataKey: string;
  readonly data: string;
}

/** Makes a sealer with envelope encryption under the keys of `keys`. */
export function createSealer(keys: KeyService): Sealer {
  const seal = (plain: Uint8Array, binding: Binding): Awaitable<Uint8Array> => {
    const dataKey = randomBytes(keyBytes);
    const bound = bytesOf(binding);
    const data = encrypt(dataKey, plain, bound);
    const write = ({ keyId, bytes }: { readonly keyId: string; readonly bytes: Uint8Array }): Uint8Array =>
      writeEnvelope({ sealed: 1, keyId, uid: binding.uid, dataKey: base64(bytes), data: base64(data) });
    const wrapped = keys.wrap(dataKey, bound);
    return wrapped instanceof Promise ? wrapped.then(write) : write(wrapped);
  };
  const open = (sealed: Uint8Array, key: string): Awaitable<Uint8Array> => {
    const { keyId, uid, dataKey, data } = readEnvelope(sealed, key);
    const bound = bytesOf({ key, uid });
    const unwrapped = keys.unwrap({ keyId, bytes: Buffer.from(dataKey, 'base64') }, bound);
    const read = (dataKey: Uint8Array): Uint8Array => decrypt(dataKey, Buffer.from(data, 'base64'), bound, key);
    return unwrapped instanceof Promise ? unwrapped.then(read) : read(unwrapped);
  };
  return {
    seal,
    open,
    isSealed: (bytes) => opening.every((byte, index) => bytes[index] === byte),
    isCurrent: (sealed) => readEnvelope(sealed, 'a sealed value').keyId === keys.currentKeyId,
    reseal: async (sealed, key) => seal(await open(sealed, key), { key, uid: readEnvelope(sealed, key).uid }),
  };
}

/** The first bytes of every envelope. */
const opening = Buffer.from('{"sealed":1,');

const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64');
const bytesOf = ({ key, uid }: Binding): Uint8Array => Buffer.from(`${key}\0${uid}`);
const writeEnvelope = (envelope: Envelope): Uint8Array => Buffer.from(JSON.stringify(envelope));

function readEnvelope(bytes: Uint8Array, what: string): Envelope {
  let envelope: Partial<Envelope> = {};
  try {
    envelope = (JSON.parse(Buffer.from(bytes).toString()) ?? {}) as Partial<Envelope>;
  } catch {
    // The error below omits the bytes, which might be a plaintext secret.
  }
  const { sealed, keyId, uid, dataKey, data } = envelope;
  if (sealed === 1 && keyId !== undefined && uid !== undefined && dataKey !== undefined && data !== undefined) return envelope as Envelope;
  throw sealErrors.TAP_SEAL_BROKEN({ message: `${what} is not a sealed value` });
}
