import { resourceErrors } from './errors.js';

const keyCharactersMax = 255;

/** @throws TAP_REQUEST_INVALID if the key is not a valid `Idempotency-Key` */
export function wellFormedKey(key: string): string {
  if (/^[\x21-\x7e]+$/.test(key) && key.length <= keyCharactersMax) return key;
  const message = `idempotency key: expected 1 to ${keyCharactersMax} printable ASCII characters`;
  throw resourceErrors.TAP_REQUEST_INVALID({ field: 'idempotencyKey', message });
}

/** The error for a key that was used for another request. */
export function keyReused(): Error {
  return resourceErrors.TAP_REQUEST_KEY_REUSED({ message: 'the idempotency key was used for another request before' });
}
