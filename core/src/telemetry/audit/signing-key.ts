import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync, sign, verify, type KeyObject } from 'node:crypto';
import { mkdir, readFile, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { createFile } from '@tappaas/sdk/durable-file';
import { auditErrors } from './errors.js';

/** Signs checkpoints. */
export interface SigningKey {
  readonly id: string;
  /** PEM of the public key, for verification. */
  readonly publicPem: string;
  sign(text: string): string;
}

const others = 0o077;

/** Reads the Ed25519 key, or creates it at the first start, readable by its owner only. @throws TAP_AUDIT_KEY */
export async function openSigningKey(path: string): Promise<SigningKey> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const made = generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' });
  const pem = (await createFile(path, made)) ? made : await readKey(path);
  const key = parsed(path, pem);
  const publicKey = createPublicKey(key);
  return {
    id: keyId(publicKey),
    publicPem: publicKey.export({ type: 'spki', format: 'pem' }),
    sign: (text) => sign(null, Buffer.from(text), key).toString('base64'),
  };
}

/** Returns the id of a key: a digest, so that another key cannot be passed off under it. */
export function keyId(publicKey: KeyObject): string {
  return createHash('sha256')
    .update(publicKey.export({ type: 'spki', format: 'der' }))
    .digest('hex')
    .slice(0, 16);
}

export function isSignedBy(publicKey: KeyObject, text: string, signature: string): boolean {
  return verify(null, Buffer.from(text), publicKey, Buffer.from(signature, 'base64'));
}

async function readKey(path: string): Promise<string> {
  const { mode } = await stat(path);
  if (process.platform !== 'win32' && (mode & others) !== 0) {
    throw auditErrors.TAP_AUDIT_KEY({ message: `${path} may be read by others: expected mode 600, found ${(mode & 0o777).toString(8)}` });
  }
  return readFile(path, 'utf8');
}

function parsed(path: string, pem: string): KeyObject {
  try {
    const key = createPrivateKey(pem);
    if (key.asymmetricKeyType === 'ed25519') return key;
  } catch (error) {
    throw auditErrors.TAP_AUDIT_KEY({ message: `${path} is not a private key`, cause: error });
  }
  throw auditErrors.TAP_AUDIT_KEY({ message: `${path} is not an Ed25519 key` });
}
