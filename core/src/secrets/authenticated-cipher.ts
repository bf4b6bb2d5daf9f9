import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { sealErrors } from './errors.js';

const algorithm = 'aes-256-gcm';
const nonceBytes = 12;
const tagBytes = 16;
/** Size of all keys in bytes. */
export const keyBytes = 32;

/** Encrypts with AES-256-GCM and a random nonce; returns nonce, tag and ciphertext. A key must encrypt at most 2^32 times. */
export function encrypt(key: Uint8Array, plain: Uint8Array, binding: Uint8Array): Uint8Array {
  const nonce = randomBytes(nonceBytes);
  const cipher = createCipheriv(algorithm, key, nonce, { authTagLength: tagBytes }).setAAD(binding);
  const sealed = Buffer.concat([cipher.update(plain), cipher.final()]);
  return Buffer.concat([nonce, cipher.getAuthTag(), sealed]);
}

/** @throws TAP_SEAL_BROKEN when the bytes, the key or the binding differ from those of the encryption */
export function decrypt(key: Uint8Array, bytes: Uint8Array, binding: Uint8Array, what: string): Uint8Array {
  try {
    const decipher = createDecipheriv(algorithm, key, bytes.subarray(0, nonceBytes), { authTagLength: tagBytes });
    decipher.setAAD(binding).setAuthTag(bytes.subarray(nonceBytes, nonceBytes + tagBytes));
    return Buffer.concat([decipher.update(bytes.subarray(nonceBytes + tagBytes)), decipher.final()]);
  } catch (cause) {
    throw sealErrors.TAP_SEAL_BROKEN({ message: `${what} does not open: it was changed, moved, or sealed with another key`, cause });
  }
}
