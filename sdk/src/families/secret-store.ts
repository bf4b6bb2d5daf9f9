import type { Context } from '../context.js';

/** The location of a secret: a path in a secret store instance. */
export interface SecretRef {
  readonly store: string;
  readonly path: string;
  readonly version?: string;
}

/** The values of a secret at one version; a lease says how long they are valid. */
export interface SecretBundle {
  readonly values: Readonly<Record<string, Uint8Array>>;
  readonly version: string;
  readonly lease?: { readonly id: string; readonly ms: number };
}

/**
 * A secret backend. The kernel checks that the path belongs to the tenant, audits, coalesces calls, and caches for the lease or 5 minutes:
 * a backend only talks to its store. Time limit: 5 s per call.
 */
export interface SecretStore {
  /**
   * Reads the values of a secret.
   *
   * @throws TAP_SECRET_NOT_FOUND, TAP_SECRET_FORBIDDEN (not retried), TAP_SECRET_UNAVAILABLE (the cached value is used while its lease
   * lasts)
   */
  resolve(ref: SecretRef, context: Context): Promise<SecretBundle>;
  /** The current version without its value; called every minute for references in use. */
  version(ref: SecretRef, context: Context): Promise<string>;
  /**
   * Writes the values and returns the new version. `expectedVersion` undefined: the secret must not exist yet.
   *
   * @throws TAP_SECRET_CONFLICT if the stored version is a different one; nothing has changed then
   */
  write?(
    ref: SecretRef,
    values: Readonly<Record<string, Uint8Array>>,
    expectedVersion: string | undefined,
    context: Context,
  ): Promise<string>;
  /** Creates a new version of the same secret and returns that version. */
  rotate?(ref: SecretRef, context: Context): Promise<string>;
  revoke?(leaseId: string, context: Context): Promise<void>;
}
