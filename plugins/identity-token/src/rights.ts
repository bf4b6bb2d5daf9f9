import { administratorsGroup, type Caller, type Denial, deny, type Immutable } from '@tappaas/sdk';
import type { ApiTokenObject } from './contract.js';

type Spec = Immutable<ApiTokenObject['spec']>;

const reserved = 'system:';

/** Whether a name is reserved for the platform. */
export const isReserved = (name: string): boolean => name.startsWith(reserved);

export const isAdministrator = ({ groups }: Pick<Caller, 'groups'>): boolean => groups.includes(administratorsGroup);

/**
 * Returns the rights that a token would have beyond those of its creator; empty if there are none. Administrators may create tokens for any
 * user, but only within the scope of their present credential.
 */
export function excessRights(spec: Spec, caller: Caller): readonly Denial[] {
  return [...reservedNames(spec), ...(isAdministrator(caller) ? [] : others(spec, caller)), ...wider(spec, caller)];
}

/** A token for another user must state a tenant, or explicitly that there is none, so that a tenant cannot simply be forgotten. */
export function tenantDenials({ user, tenant, withoutTenant }: Spec, { name }: Pick<Caller, 'name'>): readonly Denial[] {
  if (withoutTenant === true)
    return tenant === undefined
      ? []
      : [denied('spec.withoutTenant', 'TenantAmbiguous', `expected false or no tenant, found tenant ${tenant}`)];
  if (tenant !== undefined || user === name) return [];
  const message = `expected the tenant of "${user ?? ''}", or withoutTenant: true for a user without a tenant; found neither`;
  return [denied('spec.tenant', 'TenantRequired', message)];
}

/** Denies names that are reserved for the platform. */
function reservedNames({ user = '', groups = [] }: Spec): readonly Denial[] {
  const denials: Denial[] = [];
  if (isReserved(user)) denials.push(denial('spec.user', `"${user}" begins with "${reserved}", which is the platform's own`));
  for (const [index, group] of groups.entries()) {
    if (!isReserved(group)) continue;
    const instead = group === administratorsGroup ? '; bind a role to the user or to a group of your own instead' : '';
    denials.push(denial(`spec.groups[${index}]`, `"${group}" begins with "${reserved}", which is the platform's own${instead}`));
  }
  return denials;
}

function others({ user, groups = [], tenant }: Spec, caller: Caller): readonly Denial[] {
  const denials: Denial[] = [];
  if (user !== caller.name) {
    denials.push(denial('spec.user', `you are "${caller.name}" and cannot make a token for "${user ?? ''}"; only administrators can`));
  }
  for (const [index, group] of groups.entries()) {
    if (!caller.groups.includes(group)) denials.push(denial(`spec.groups[${index}]`, `you are not in group "${group}"`));
  }
  if (tenant !== caller.tenant)
    denials.push(denial('spec.tenant', `expected your own tenant, ${caller.tenant ?? 'none'}, found ${tenant ?? 'none'}`));
  return denials;
}

function wider({ scope }: Spec, { scope: own }: Caller): readonly Denial[] {
  return (['namespaces', 'verbs'] as const).flatMap((part) => {
    const allowed = own?.[part];
    if (allowed === undefined || allowed.includes('*')) return [];
    const requested = scope?.[part];
    const beyond = requested?.filter((each) => !allowed.includes(each));
    if (beyond?.length === 0) return [];
    const found = beyond === undefined ? 'all' : beyond.join(', ');
    return [denial(`spec.scope.${part}`, `your own credential is good for ${part} ${allowed.join(', ') || 'none'}; found ${found}`)];
  });
}

const denial = (field: string, message: string): Denial => denied(field, 'ExceedsRights', message);

function denied(field: string, reason: string, message: string): Denial {
  return deny({ field, reason, message });
}
