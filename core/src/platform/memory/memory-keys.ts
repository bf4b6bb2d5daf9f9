import { randomBytes } from 'node:crypto';
import { decrypt, encrypt, keyBytes } from '../../secrets/authenticated-cipher.js';
import type { KeyService } from '../../secrets/key-service.js';

/** A key service with a single key that is never stored: sealed data is lost with the process. */
export function memoryKeys(): KeyService {
  const key = randomBytes(keyBytes);
  const currentKeyId = 'memory';
  return {
    currentKeyId,
    wrap: (dataKey, binding) => ({ keyId: currentKeyId, bytes: encrypt(key, dataKey, binding) }),
    unwrap: ({ bytes }, binding) => decrypt(key, bytes, binding, 'a data key'),
  };
}
