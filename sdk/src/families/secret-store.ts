import type { Context } from '../context.js';

/** Where a secret is: a path in a secret store instance. */
export interface SecretRef {
  readonly store: string;
  readonly path: string;
  readonly version?: string;
}

/** The values of a secret at one version; a lease says how long they hold. */
export interface SecretBundle {
  readonly values: Readonly<Record<string, Uint8Array>>;
  readonly version: string;
  readonly lease?: { readonly id: string; readonly ms: number };
}

/**
 * A secret backend. The kernel checks the tenant's paths, audits, coalesces, and caches for the lease or 5 minutes: a backend only talks
 * to its store. 5 s a call.
 */
export interface SecretStore {
  /** @throws TAP_SECRET_NOT_FOUND, TAP_SECRET_FORBIDDEN (not retried), TAP_SECRET_UNAVAILABLE (the cached value serves while its lease lasts). */
  resolve(ref: SecretRef, context: Context): Promise<SecretBundle>;
  /** The current version without its value; asked every minute for references in use. */
  version(ref: SecretRef, context: Context): Promise<string>;
  /**
   * Answers the new version. `expectedVersion` undefined: the secret must not exist yet.
   *
   * @throws TAP_SECRET_CONFLICT when the stored version is another; nothing has changed then.
   */
  write?(
    ref: SecretRef,
    values: Readonly<Record<string, Uint8Array>>,
    expectedVersion: string | undefined,
    context: Context,
  ): Promise<string>;
  /** Makes a new version of the same secret; answers it. */
  rotate?(ref: SecretRef, context: Context): Promise<string>;
  revoke?(leaseId: string, context: Context): Promise<void>;
}
