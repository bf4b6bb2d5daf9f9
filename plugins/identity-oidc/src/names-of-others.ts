import type { Caller } from '@tappaas/sdk';
import { errors } from './errors.js';
import type { IssuerSettings } from './settings.js';

/** A prefix that another provider puts before its names. */
interface OthersPrefix {
  readonly provider: string;
  readonly prefix: string;
}

/** What the names of a provider's users and groups may not begin with. */
export interface NamesOfOthers {
  readonly users: readonly OthersPrefix[];
  readonly groups: readonly OthersPrefix[];
}

const parts = ['userPrefix', 'groupsPrefix'] as const;

/**
 * Two providers that put the same before their names can each name the people of the other: whose roles, sessions and API tokens these are goes by name
 * and tenant alone.
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
 * The prefixes of others with which names of this provider could begin: those that go on from its own. So one provider may do without a
 * prefix, and still names nobody of those that have one.
 */
export function namesOfOthers(own: IssuerSettings, issuers: readonly IssuerSettings[]): NamesOfOthers {
  const others = issuers.filter((other) => other !== own && !sharesNames(own, other));
  const beyond = (part: (typeof parts)[number]): readonly OthersPrefix[] =>
    others
      .map(({ name, claims }) => ({ provider: name, prefix: claims[part] }))
      .filter(({ prefix }) => prefix.length > own.claims[part].length && prefix.startsWith(own.claims[part]));
  return { users: beyond('userPrefix'), groups: beyond('groupsPrefix') };
}

/** @throws IDENTITY_OIDC_CLAIM_FOREIGN when the user, or one of the groups, has a name that only another provider may give */
export function refuseNamesOfOthers(
  { name, groups }: Caller,
  { name: issuer, claims }: Pick<IssuerSettings, 'name' | 'claims'>,
  others: NamesOfOthers,
): void {
  refuse(issuer, claims.user, [name], others.users);
  refuse(issuer, claims.groups, groups, others.groups);
}

function refuse(issuer: string, claim: string, names: readonly string[], prefixes: readonly OthersPrefix[]): void {
  for (const { provider, prefix } of prefixes) {
    if (!names.some((name) => name.startsWith(prefix))) continue;
    const message = `provider ${issuer}: claim "${claim}": expected a name that does not begin with "${prefix}", as those of provider ${provider} do`;
    throw errors.IDENTITY_OIDC_CLAIM_FOREIGN({ message });
  }
}

const sharesNames = (one: IssuerSettings, other: IssuerSettings): boolean => one.sharesNames && other.sharesNames;
