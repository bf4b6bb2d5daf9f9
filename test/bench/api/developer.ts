/** Somebody as most callers are: known to a plugin by an API token, of a tenant, allowed by the roles of one binding among many. */
import { families } from '@tappaas/sdk';
import { createAccess, type Access } from '../../../core/dist/access/access.js';
import { createAuthenticatorChain, type AuthenticatorChain } from '../../../core/dist/identity/authenticator-chain.js';
import { CredentialCache } from '../../../core/dist/identity/credential-cache.js';
import { systemClock } from '../../../core/dist/platform/system-clock.js';
import { roleAuthorizer } from '../../../plugins/access-rbac/dist/authorizer.js';
import { defaultRoles } from '../../../plugins/access-rbac/dist/default-roles.js';
import { RoleIndex } from '../../../plugins/access-rbac/dist/role-index.js';
import { provided } from './provided.ts';

export const developerToken = 'tapp_developer';
const tenants = 1000;
const group = 'rbac.authorization.k8s.io';

/** A plugin answers by a promise; what it has said is remembered by the chain. */
export function developerAuthenticator(): AuthenticatorChain {
  const identity = { caller: { name: 'ann@example.com', groups: ['developers'], tenant: 'acme' }, credentialId: 'ann' };
  const plugin = {
    name: 'tokens',
    authenticate: async ({ headers }: { readonly headers: Readonly<Record<string, string>> }) =>
      headers['authorization'] === `Bearer ${developerToken}` ? identity : undefined,
  };
  return createAuthenticatorChain([], () => [plugin], new CredentialCache(systemClock));
}

export async function developerAccess(): Promise<Access> {
  const index = new RoleIndex();
  for (const { name, rules = [] } of defaultRoles) index.setRole(undefined, name, rules);
  for (const namespace of ['default', ...Array.from({ length: tenants }, (_, tenant) => `tenant-${tenant}`)]) {
    // What the role developer is made of.
    for (const role of ['tappaas:viewer', 'tappaas:developer']) {
      index.setBinding({
        namespace,
        name: role,
        roleRef: { apiGroup: group, kind: 'ClusterRole', name: role },
        subjects: [{ kind: 'Group', name: 'developers', apiGroup: group }],
      });
    }
  }
  const places = {
    now: (_: string, project: string) => ({ project, tenant: 'acme' }),
    settled: async (_: string, project: string) => ({ project, tenant: 'acme' }),
    isSuspended: () => false,
    labels: () => undefined,
    spansNamespaces: () => false,
    isShared: () => false,
    owners: { fields: () => undefined, now: () => undefined, settled: async () => undefined },
  };
  const authorizer = await provided(families.authorizer, roleAuthorizer(index, { problem: undefined }));
  return createAccess({ authorizers: () => [authorizer], missing: () => [], places });
}
