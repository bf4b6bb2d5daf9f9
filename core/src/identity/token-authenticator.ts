import { credentialErrors, type Clock, type Identity } from '@tappaas/sdk';
import { bearerToken, isToken, tokenId } from '@tappaas/sdk/bearer-token';
import type { ChainedAuthenticator } from './authenticator-chain.js';
import type { StoredToken } from './stored-token.js';

/** Makes the authenticator of bearer tokens of the form `tapp_…`, which compares them with their stored form. */
export function createTokenAuthenticator(find: (id: string) => StoredToken | undefined, clock: Pick<Clock, 'nowMs'>): ChainedAuthenticator {
  const identities = new WeakMap<StoredToken, Identity>();
  return {
    name: 'token',
    authenticate: ({ headers }) => {
      const token = bearerToken(headers);
      const id = token === undefined ? undefined : tokenId(token);
      if (token === undefined || id === undefined) return undefined;
      const stored = find(id);
      // Ids are not secret; another authenticator may recognize an unknown one.
      if (stored === undefined) return undefined;
      if (!isToken(token, stored)) throw credentialErrors.TAP_CREDENTIAL_INVALID({ message: 'the token is not valid' });
      const { expiresAtMs } = stored;
      if (expiresAtMs !== undefined && expiresAtMs <= clock.nowMs()) {
        throw credentialErrors.TAP_CREDENTIAL_EXPIRED({ message: `the token "${id}" has expired` });
      }
      const identity = identities.get(stored) ?? identityOf(stored);
      identities.set(stored, identity);
      return identity;
    },
  };
}

/** The id under which results for a token are cached and revoked. */
export const credentialIdOf = ({ id }: Pick<StoredToken, 'id'>): string => `token:${id}`;

function identityOf(stored: StoredToken): Identity {
  const { name, groups, expiresAtMs } = stored;
  return { caller: { name, groups }, credentialId: credentialIdOf(stored), ...(expiresAtMs !== undefined && { expiresAtMs }) };
}
