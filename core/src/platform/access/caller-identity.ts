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

/** Who asks: the platform's own credentials first, then those that plugins know. */
export interface CallerIdentity {
  readonly authenticate: Authenticate;
  readonly processes: ProcessCertificates;
  /** PEM of the authorities of client certificates that plugins know. */
  readonly clientAuthorities: () => string;
  /** Takes up the authenticators that plugins provide now. */
  readonly follow: () => void;
  /** Forgets what is remembered of credentials. */
  readonly revoke: (credentialIds: readonly string[]) => void;
  /** Makes the administrator's token at the first start and answers it; later starts know its hash, and this answers nothing. */
  readonly firstToken: (holder: AdminTokenHolder) => Promise<string | undefined>;
  /** Makes another one in its place, in this process and in the store. The old one is refused here once `revoke` has been called with its credential. */
  readonly replaceFirstToken: (holder: AdminTokenHolder) => Promise<ReplacedToken>;
  /** Another process has replaced it. */
  readonly rereadFirstToken: () => Promise<void>;
}

/** The administrator's new token, and which credential it has replaced. */
export interface ReplacedToken {
  readonly token: string;
  /** Absent: there was none. */
  readonly credentialId?: string;
}

/** The token's hash has a key of its own in the store, so every replica knows it and no kind shows it. */
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

/** Hears which credentials are no longer good; resolves when all processes of the platform have heard. */
export type Revoke = (credentialIds: readonly string[]) => Promise<void>;

/** What plugins tell revocations; what is told before anybody listens has let nobody in yet. */
export function credentialRegister(listening: Promise<Revoke>): CredentialRegister {
  let revoke: Revoke | undefined;
  void listening.then((heard) => {
    revoke = heard;
  });
  return { revoked: async (credentialIds) => revoke?.(credentialIds) };
}
