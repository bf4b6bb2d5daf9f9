import type { Awaitable } from '@tappaas/sdk';

/** A data key as stored beside the data it encrypts. */
export interface WrappedKey {
  /** Id of the key-encryption key that wrapped it. */
  readonly keyId: string;
  readonly bytes: Uint8Array;
}

/** Holds key-encryption keys without ever revealing them: a file of the platform, or a key management service. */
export interface KeyService {
  /** Id of the key that currently wraps. */
  readonly currentKeyId: string;
  /** Wraps a data key; `binding` is authenticated with it. */
  wrap(dataKey: Uint8Array, binding: Uint8Array): Awaitable<WrappedKey>;
  /** @throws TAP_SEAL_KEY_UNKNOWN, TAP_SEAL_BROKEN */
  unwrap(wrapped: WrappedKey, binding: Uint8Array): Awaitable<Uint8Array>;
}
