import type { Caller } from '@tappaas/sdk';
import { errors } from './errors.js';
import type { IssuerSettings } from './settings.js';

/** The name prefix of another provider. */
interface ForeignPrefix {
  readonly provider: string;
  readonly prefix: string;
}

/** Prefixes that the names of a provider's users and groups must not have. */
export interface ForeignNames {
  readonly users: readonly ForeignPrefix[];
  readonly groups: readonly ForeignPrefix[];
}

const parts = ['userPrefix', 'groupsPrefix'] as const;

/**
 * Refuses providers with the same prefix for user or group names: each could name users of the other, and roles, sessions and API tokens
 * are assigned by name and tenant alone.
 *
 * @throws IDENTITY_OIDC_NAMES_SHARED
 */
export function refuseSharedNames(issuers: readonly IssuerSettings[]): void {
  for (const [index, one] of issuers.entries()) {
    for (const other of issuers.slice(index + 1)) {
      const same = parts.filter((part) => one.claims[part] === other.claims[part]);
      if (same.length === 0 || sharesNames(one, other)) continue;
      const found = same.map((part) => `${part} "${one.claims[part]}"`).join(' and ');
      throw errors.IDENTITY_OIDC_NAMES_SHARED({
        message: `issuers: the providers "${one.name}" and "${other.name}" have the same ${found}`,
      });
    }
  }
}

/**
 * The prefixes of other providers that extend this provider's own prefix, so that its names could begin with them. With this check one
 * provider may have no prefix and still cannot name users of the others.
 */
export function foreignNames(own: IssuerSettings, issuers: readonly IssuerSettings[]): ForeignNames {
  const others = issuers.filter((other) => other !== own && !sharesNames(own, other));
  const beyond = (part: (typeof parts)[number]): readonly ForeignPrefix[] =>
    others
      .map(({ name, claims }) => ({ provider: name, prefix: claims[part] }))
      .filter(({ prefix }) => prefix.length > own.claims[part].length && prefix.startsWith(own.claims[part]));
  return { users: beyond('userPrefix'), groups: beyond('groupsPrefix') };
}

/** Refuses a caller with a name or group that only another provider may give. @throws IDENTITY_OIDC_CLAIM_FOREIGN */
export function refuseForeignNames(
  { name, groups }: Caller,
  { name: issuer, claims }: Pick<IssuerSettings, 'name' | 'claims'>,
  others: ForeignNames,
): void {
  refuse(issuer, claims.user, [name], others.users);
  refuse(issuer, claims.groups, groups, others.groups);
}

function refuse(issuer: string, claim: string, names: readonly string[], prefixes: readonly ForeignPrefix[]): void {
  for (const { provider, prefix } of prefixes) {
    if (!names.some((name) => name.startsWith(prefix))) continue;
    const message = `provider ${issuer}: claim "${claim}": expected a name that does not begin with "${prefix}", as those of provider ${provider} do`;
    throw errors.IDENTITY_OIDC_CLAIM_FOREIGN({ message });
  }
}

const sharesNames = (one: IssuerSettings, other: IssuerSettings): boolean => one.sharesNames && other.sharesNames;
