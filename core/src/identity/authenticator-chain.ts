import type { Credentials, Identity } from '@tappaas/sdk';

/** An authenticator as the chain asks it: guarded by the kernel, which gives it its context. */
export interface ChainedAuthenticator {
  readonly name: string;
  readonly authenticate: (credentials: Credentials) => Identity | undefined | Promise<Identity | undefined>;
}

const everybody = 'system:authenticated';
const groupsMax = 256;

/**
 * Asks the authenticators in configured order; the first that knows the credential decides. One that throws ends the matter: a bad
 * credential is not tried on the next. Groups of the `system:` space can be claimed by the platform's own authenticators only.
 */
export function createAuthenticatorChain(
  own: readonly ChainedAuthenticator[],
  contributed: () => readonly ChainedAuthenticator[],
): (credentials: Credentials) => Promise<Identity | undefined> {
  return async (credentials) => {
    for (const { authenticate } of own) {
      const identity = await authenticate(credentials);
      if (identity !== undefined) return admitted(identity, () => true);
    }
    for (const { authenticate } of contributed()) {
      const identity = await authenticate(credentials);
      if (identity !== undefined) return admitted(identity, (group) => !group.startsWith('system:'));
    }
    return undefined;
  };
}

function admitted(identity: Identity, mayCarry: (group: string) => boolean): Identity {
  const { caller } = identity;
  const groups = caller.groups.filter((group) => group !== everybody && mayCarry(group)).slice(0, groupsMax);
  return { ...identity, caller: { ...caller, groups: [...groups, everybody] } };
}
