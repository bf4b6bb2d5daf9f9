import { credentialErrors, type Identity } from '@tappaas/sdk';
import { firstAdministrator } from './admin-token.js';
import { identityErrors } from './errors.js';

/** Reserved names that a plugin declares its callers to have; a trailing `*` matches any suffix. */
export interface ReservedNames {
  readonly users?: readonly string[];
  readonly groups?: readonly string[];
}

const prefix = 'system:';
/** The names that can be granted at all, regardless of the manifest: no caller may become the platform, its administrator or a node. */
const grantableUsers = /^system:serviceaccount:[^:]+:[^:]+$/;
const grantableGroups = /^system:serviceaccounts(?::[^:]+)?$/;

/** Whether a plugin's caller may be in a group. */
export function mayCarry(group: string, { groups = [] }: ReservedNames): boolean {
  return !group.startsWith(prefix) || (grantableGroups.test(group) && groups.some((pattern) => fits(group, pattern)));
}

/** @throws TAP_IDENTITY_RESERVED, TAP_CREDENTIAL_INVALID when a plugin's caller has a name of the platform or of its first administrator */
export function checkName({ caller: { name } }: Identity, plugin: string, { users = [] }: ReservedNames): void {
  if (name === firstAdministrator && !users.includes(firstAdministrator)) {
    throw credentialErrors.TAP_CREDENTIAL_INVALID({
      message: `the credential names "${name}", as the platform's first administrator is called: let ${plugin} put a prefix before its names, or name its holder otherwise`,
    });
  }
  if (!name.startsWith(prefix) || (grantableUsers.test(name) && users.some((pattern) => fits(name, pattern)))) return;
  throw identityErrors.TAP_IDENTITY_RESERVED({
    message: `the credential names "${name}", and names that begin with "${prefix}" are the platform's own: let ${plugin} put a prefix before its names, or name its holder otherwise`,
  });
}

function fits(name: string, pattern: string): boolean {
  return pattern.endsWith('*') ? name.startsWith(pattern.slice(0, -1)) : name === pattern;
}
