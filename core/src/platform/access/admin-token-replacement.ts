import type { AdminTokenHolder } from '../../identity/admin-token.js';
import type { CallerIdentity, ReplacedToken } from './caller-identity.js';

export interface AdminTokenReplacementParts {
  readonly identity: Pick<CallerIdentity, 'replaceFirstToken'>;
  /** Known once the platform's listener is, which may serve a little earlier. */
  readonly holder: Promise<AdminTokenHolder>;
  /** Every other process reads the new token. */
  readonly spread: () => Promise<void>;
  /** Every process refuses the credential, and ends its streams. */
  readonly revoke: (credentialIds: readonly string[]) => Promise<void>;
}

/** Replaces the first administrator's token, one request after the other: of two at once the later token would be good, and the earlier one in the file. */
export function adminTokenReplacement({ identity, holder, spread, revoke }: AdminTokenReplacementParts): () => Promise<ReplacedToken> {
  let last: Promise<unknown> = Promise.resolve();
  const replace = async (): Promise<ReplacedToken> => {
    const replaced = await identity.replaceFirstToken(await holder);
    // The new one is known everywhere before the old one is forgotten: what is remembered of the old one cannot be found again.
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
