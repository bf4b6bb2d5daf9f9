import type { AdminTokenHolder } from '../../identity/admin-token.js';
import type { CallerIdentity, ReplacedToken } from './caller-identity.js';

export interface AdminTokenReplacementParts {
  readonly identity: Pick<CallerIdentity, 'replaceFirstToken'>;
  /** Resolves once the platform's listener is available, which may serve requests slightly earlier. */
  readonly holder: Promise<AdminTokenHolder>;
  /** Makes every other process read the new token. */
  readonly spread: () => Promise<void>;
  /** Makes every process refuse the credentials and end their streams. */
  readonly revoke: (credentialIds: readonly string[]) => Promise<void>;
}

/**
 * Replaces the first administrator's token, one request at a time: with two concurrent ones, the later token would be valid but the earlier
 * one in the file.
 */
export function adminTokenReplacement({ identity, holder, spread, revoke }: AdminTokenReplacementParts): () => Promise<ReplacedToken> {
  let last: Promise<unknown> = Promise.resolve();
  const replace = async (): Promise<ReplacedToken> => {
    const replaced = await identity.replaceFirstToken(await holder);
    // All processes must read the new token before the old credential is revoked; otherwise they could authenticate and cache the old one.
    await spread();
    if (replaced.credentialId !== undefined) await revoke([replaced.credentialId]);
    return replaced;
  };
  return () => {
    const done = last.then(replace);
    last = done.catch(() => undefined);
    return done;
  };
}
