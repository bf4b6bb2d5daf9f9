import { families, type Authorizer, type Clock, type ResourceStore } from '@tappaas/sdk';
import type { Authenticate, Authorize } from '../api/stages.js';
import { createAuthorizerChain } from '../access/authorizer-chain.js';
import { ensureAdminToken, type AdminTokenHolder } from '../identity/admin-token.js';
import type { StoredToken } from '../identity/api-token.js';
import { createAuthenticatorChain } from '../identity/authenticator-chain.js';
import { createEngineCredentials, type EngineCredentials } from '../identity/engine-credentials.js';
import { createTokenAuthenticator } from '../identity/token-authenticator.js';
import type { Kernel } from '../kernel/kernel.js';
import { storeRecord } from './store-record.js';

/** Who asks and what they may: the platform's own rules first, then what plugins provide. */
export interface CallerIdentity {
  readonly authenticate: Authenticate;
  readonly authorize: Authorize;
  readonly engineCredentials: EngineCredentials;
  /** Makes the administrator's token at the first start and answers it; later starts know its hash, and this answers nothing. */
  readonly firstToken: (holder: AdminTokenHolder) => Promise<string | undefined>;
}

/** The token's hash has a key of its own in the store, so every replica knows it and no kind shows it. */
const adminTokenKey = 'identity/admin-token';

export async function callerIdentity(kernel: Kernel, store: ResourceStore, clock: Clock): Promise<CallerIdentity> {
  const record = storeRecord<StoredToken>(store, adminTokenKey);
  let admin = await record.load();
  const tokens = createTokenAuthenticator((id) => (id === admin?.id ? admin : undefined), clock);
  const engineCredentials = createEngineCredentials(clock);
  const authenticators = kernel.services.family(families.authenticator);
  const authorizers = kernel.services.family(families.authorizer);
  const chained = () =>
    [...authenticators].map(([name, authenticator]) => ({
      name,
      authenticate: (credentials: Parameters<Authenticate>[0]) => authenticator.authenticate(credentials, kernel.platformContext()),
    }));
  return {
    authenticate: createAuthenticatorChain([tokens, engineCredentials], chained),
    authorize: createAuthorizerChain((): readonly Authorizer[] => [...authorizers.values()]),
    engineCredentials,
    async firstToken(holder) {
      if (admin !== undefined) return undefined;
      const made = await ensureAdminToken(record, holder, clock);
      admin = made.stored;
      return made.token;
    },
  };
}
