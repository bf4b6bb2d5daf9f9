import { credentialErrors } from '@tappaas/sdk';
import { bearerToken, isToken, tokenId } from '@tappaas/sdk/bearer-token';
import type { ChainedAuthenticator } from './authenticator-chain.js';
import { identityErrors } from './errors.js';
import { createTokenOf, type StoredToken } from './stored-token.js';

/** Members may do everything on that engine, and nothing elsewhere. */
const engineGroup = (engine: string): string => `system:engine:${engine}`;

/** Credentials for processes of plugins, such as a node agent: known in memory only, so they end with the platform's process. */
export interface EngineCredentials extends ChainedAuthenticator {
  /** The same user of the same engine gets the same token. @throws TAP_CREDENTIAL_TOO_MANY */
  issue(engine: string, user: { readonly name: string; readonly groups: readonly string[] }): string;
}

const usersMax = 1000;

export function createEngineCredentials(clock: { nowMs(): number }): EngineCredentials {
  const tokens = new Map<string, string>();
  const known = new Map<string, StoredToken>();
  return {
    name: 'engine',
    authenticate: ({ headers }) => {
      const token = bearerToken(headers);
      const stored = known.get((token === undefined ? undefined : tokenId(token)) ?? '');
      if (token === undefined || stored === undefined) return undefined;
      if (!isToken(token, stored)) throw credentialErrors.TAP_CREDENTIAL_INVALID({ message: 'the token is not valid' });
      return { caller: { name: stored.name, groups: stored.groups }, credentialId: `engine:${stored.id}` };
    },
    issue(engine, { name, groups }) {
      const key = JSON.stringify([engine, name, groups]);
      const issued = tokens.get(key);
      if (issued !== undefined) return issued;
      if (tokens.size >= usersMax)
        throw identityErrors.TAP_CREDENTIAL_TOO_MANY({ message: `${usersMax} users of engines have credentials already` });
      const { token, stored } = createTokenOf({ name, groups: [...groups, engineGroup(engine)], createdAtMs: clock.nowMs() });
      tokens.set(key, token);
      known.set(stored.id, stored);
      return token;
    },
  };
}
