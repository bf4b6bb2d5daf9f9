import { isTenantName, type Caller } from '@tappaas/sdk';
import { errors } from './errors.js';
import type { IssuerSettings } from './settings.js';

type Claims = Readonly<Record<string, unknown>>;

const groupsMax = 256;
const nameCharsMax = 256;

/** The part of a provider's settings that maps claims to a caller. */
export type Mapping = Pick<IssuerSettings, 'name' | 'claims'> & Partial<Pick<IssuerSettings, 'tenant' | 'tenants'>>;

/** Maps a provider's claims to a caller. @throws IDENTITY_OIDC_CLAIM_MISSING, IDENTITY_OIDC_CLAIM_FOREIGN */
export function callerOf(claims: Claims, settings: Mapping): Caller {
  const { name: issuer, claims: mapping } = settings;
  const user = claim(claims, mapping.user);
  if (typeof user !== 'string' || user === '' || mapping.userPrefix.length + user.length > nameCharsMax)
    throw missing(issuer, mapping.user, `a text of 1 to ${nameCharsMax - mapping.userPrefix.length} characters`);
  // An unverified email address does not identify a user.
  if (mapping.user === 'email' && !mapping.acceptUnverifiedEmail && !isTrue(claims['email_verified']))
    throw missing(issuer, 'email_verified', 'true');
  const groups = groupsOf(claim(claims, mapping.groups), issuer, mapping);
  const tenant = tenantOf(claims, groups, settings);
  return { name: mapping.userPrefix + user, groups, ...(tenant !== undefined && { tenant }) };
}

/**
 * The user's tenant. A missing claim does not mean that the user has no tenant, which would remove a boundary: one of the configured groups
 * must say so.
 */
function tenantOf(
  claims: Claims,
  groups: readonly string[],
  { name: issuer, tenant: fixed, tenants = [], claims: mapping }: Mapping,
): string | undefined {
  const { tenant: name, groupsPrefix, groupsWithoutTenant } = mapping;
  if (fixed !== undefined) return fixed;
  if (name === '') return undefined;
  const tenant = claim(claims, name);
  if (typeof tenant === 'string' && isTenantName(tenant)) {
    if (tenants.length === 0 || tenants.includes(tenant)) return tenant;
    const message = `provider ${issuer}: claim "${name}": expected one of the tenants that this provider may name, found "${tenant}"`;
    throw errors.IDENTITY_OIDC_CLAIM_FOREIGN({ message });
  }
  if (tenant === undefined && groupsWithoutTenant.some((group) => groups.includes(groupsPrefix + group))) return undefined;
  const found = tenant === undefined ? 'none, and no group of those in groupsWithoutTenant' : 'what cannot be one';
  throw missing(issuer, name, `the name of a tenant, as a label may say it; found ${found}`);
}

/** All groups, or an error. Groups are never truncated: a dropped group could be the one to which something is forbidden. */
function groupsOf(claim: unknown, issuer: string, { groups: name, groupsPrefix }: IssuerSettings['claims']): readonly string[] {
  const listed = typeof claim === 'string' ? [claim] : Array.isArray(claim) ? claim : [];
  const groups = listed.filter((group): group is string => typeof group === 'string' && group !== '').map((group) => groupsPrefix + group);
  if (groups.length > groupsMax) throw missing(issuer, name, `at most ${groupsMax} groups, found ${groups.length}`);
  const long = groups.find((group) => group.length > nameCharsMax);
  if (long === undefined) return groups;
  throw missing(
    issuer,
    name,
    `groups of at most ${nameCharsMax - groupsPrefix.length} characters, found one of ${long.length - groupsPrefix.length}`,
  );
}

/** Some providers send the boolean as text. */
const isTrue = (value: unknown): boolean => value === true || value === 'true';

/** Looks up a claim by its literal name, else by a path of names separated by dots. */
function claim(claims: Claims, name: string): unknown {
  if (Object.hasOwn(claims, name)) return claims[name];
  return name
    .split('.')
    .reduce<unknown>(
      (value, part) => (typeof value === 'object' && value !== null && Object.hasOwn(value, part) ? (value as Claims)[part] : undefined),
      claims,
    );
}

function missing(issuer: string, name: string, expected: string): Error {
  return errors.IDENTITY_OIDC_CLAIM_MISSING({ message: `provider ${issuer}: claim "${name}": expected ${expected}` });
}
