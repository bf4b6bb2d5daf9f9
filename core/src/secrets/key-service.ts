import type { Awaitable } from '@tappaas/sdk';

/** A data key as it is stored beside what it encrypts. */
export interface WrappedKey {
  /** Which key-encryption key wrapped it. */
  readonly keyId: string;
  readonly bytes: Uint8Array;
}

/** Holds key-encryption keys and never gives one out: a file of the platform's, or a key management service. */
export interface KeyService {
  /** Id of the key that wraps now. */
  readonly currentKeyId: string;
  /** `binding` is authenticated with the data key. */
  wrap(dataKey: Uint8Array, binding: Uint8Array): Awaitable<WrappedKey>;
  /** @throws TAP_SEAL_KEY_UNKNOWN, TAP_SEAL_BROKEN */
  unwrap(wrapped: WrappedKey, binding: Uint8Array): Awaitable<Uint8Array>;
}
