import {
  claimedIssuer,
  isTapError,
  type Authenticator,
  type Context,
  type Credentials,
  type Identity,
  type TokenService,
} from '@tappaas/sdk';
import { bearerToken } from '@tappaas/sdk/bearer-token';
import type { ForeignCluster } from './foreign-accounts.js';
import { ownAccount } from './own-accounts.js';

/** Authenticates bearer tokens by their claimed issuer: the platform, or a configured cluster. */
export function createAuthenticator(tokens: TokenService, clusters: readonly ForeignCluster[]): Authenticator {
  return {
    async authenticate(credentials: Credentials, context: Context): Promise<Identity | undefined> {
      const token = bearerToken(credentials.headers);
      const issuer = token === undefined ? undefined : claimedIssuer(token);
      if (token === undefined || issuer === undefined) return undefined;
      const own = await tokens.issuer();
      if (issuer === own) return ownAccount(token, credentials.audiences ?? [own], tokens, context);
      return byCluster(
        token,
        clusters.filter((cluster) => cluster.issuer === issuer),
      );
    },
  };
}

/**
 * Tries all clusters with the token's issuer, since clusters often share the default one; the first that accepts the token counts. If none
 * does, an unavailable cluster is reported rather than a refusal, since that cluster might have accepted it.
 */
async function byCluster(token: string, clusters: readonly ForeignCluster[]): Promise<Identity | undefined> {
  let refusal: unknown;
  for (const cluster of clusters) {
    try {
      return await cluster.identify(token);
    } catch (error) {
      const isUnavailable = isTapError(error, 'TAP_ISSUER_UNAVAILABLE');
      if (!isUnavailable && !isTapError(error, 'TAP_CREDENTIAL_INVALID')) throw error;
      if (isUnavailable || refusal === undefined) refusal = error;
    }
  }
  if (refusal === undefined) return undefined;
  throw refusal;
}
