import { families, type Clock, type CredentialRegister, type ResourceStore } from '@tappaas/sdk';
import type { Authenticate } from '../../api/stages.js';
import { ensureAdminToken, replaceAdminToken, type AdminTokenHolder } from '../../identity/admin-token.js';
import type { StoredToken } from '../../identity/stored-token.js';
import { createAuthenticatorChain } from '../../identity/authenticator-chain.js';
import { CredentialCache } from '../../identity/credential-cache.js';
import {
  createProcessCertificates,
  type ProcessCertificateOptions,
  type ProcessCertificates,
} from '../../identity/process-certificates.js';
import { createTokenAuthenticator, credentialIdOf } from '../../identity/token-authenticator.js';
import type { Kernel } from '../../kernel/kernel.js';
import { storeRecord } from '../store-record.js';

/** Authenticates callers: with the platform's own credentials first, then with those of plugins. */
export interface CallerIdentity {
  readonly authenticate: Authenticate;
  readonly processes: ProcessCertificates;
  /** Returns the PEM of the client certificate authorities of plugins. */
  readonly clientAuthorities: () => string;
  /** Switches to the authenticators that plugins currently provide. */
  readonly follow: () => void;
  /** Drops cached results of credentials. */
  readonly revoke: (credentialIds: readonly string[]) => void;
  /** Creates and returns the administrator's token at the first start; returns undefined at later starts, which find its hash. */
  readonly firstToken: (holder: AdminTokenHolder) => Promise<string | undefined>;
  /** Replaces the token in this process and in the store. This process refuses the old one once `revoke` was called with its credential. */
  readonly replaceFirstToken: (holder: AdminTokenHolder) => Promise<ReplacedToken>;
  /** Call when another process has replaced the token. */
  readonly rereadFirstToken: () => Promise<void>;
}

/** The administrator's new token, and the credential that it replaced. */
export interface ReplacedToken {
  readonly token: string;
  /** Absent if there was none. */
  readonly credentialId?: string;
}

/** The token's hash has its own key in the store, so that every replica knows it and no kind shows it. */
const adminTokenKey = 'identity/admin-token';

export async function callerIdentity(
  kernel: Kernel,
  store: ResourceStore,
  clock: Clock,
  sign: ProcessCertificateOptions['sign'],
): Promise<CallerIdentity> {
  const record = storeRecord<StoredToken>(store, adminTokenKey);
  let admin = await record.load();
  const tokens = createTokenAuthenticator((id) => (id === admin?.id ? admin : undefined), clock);
  const processes = createProcessCertificates({ sign, clock });
  const authenticators = kernel.services.family(families.authenticator);
  const chained = () =>
    [...authenticators].map(([name, authenticator]) => ({
      name,
      ...(authenticator.reads && { reads: authenticator.reads }),
      reserved: kernel.plugin(name)?.permissions?.identity ?? {},
      authenticate: (credentials: Parameters<Authenticate>[0]) => authenticator.authenticate(credentials, kernel.platformContext()),
    }));
  const authenticate = createAuthenticatorChain([tokens, processes], chained, new CredentialCache(clock));
  return {
    authenticate,
    follow: () => authenticate.follow(),
    revoke: (credentialIds) => credentialIds.forEach((id) => authenticate.revoke(id)),
    processes,
    clientAuthorities: () => [...authenticators.values()].map((each) => each.clientAuthorities?.() ?? '').join('\n'),
    async firstToken(holder) {
      if (admin !== undefined) return undefined;
      const made = await ensureAdminToken(record, holder, clock);
      admin = made.stored;
      return made.token;
    },
    async replaceFirstToken(holder) {
      const before = admin;
      const made = await replaceAdminToken(record, holder, clock);
      admin = made.stored;
      return { token: made.token, ...(before && { credentialId: credentialIdOf(before) }) };
    },
    async rereadFirstToken() {
      admin = await record.load();
    },
  };
}

/** Reports revoked credentials to all processes of the platform; resolves when all have received them. */
export type Revoke = (credentialIds: readonly string[]) => Promise<void>;

/** Makes the register for revocations by plugins. Revocations before anyone listens can be ignored, because no caller was admitted yet. */
export function credentialRegister(listening: Promise<Revoke>): CredentialRegister {
  let revoke: Revoke | undefined;
  void listening.then((heard) => {
    revoke = heard;
  });
  return { revoked: async (credentialIds) => revoke?.(credentialIds) };
}
