import { isTenantName } from '@tappaas/sdk';
import { errors } from './errors.js';
import type { IssuerSettings } from './settings.js';

/**
 * Refuses contradictory or ineffective settings for the tenants of a provider's users: a user who ended up in another tenant than the
 * operator expects, or in none, would be outside a boundary.
 *
 * @throws IDENTITY_OIDC_TENANT_CONTRADICTORY
 */
export function refuseContradictoryTenants(issuers: readonly IssuerSettings[]): void {
  for (const { name, tenant, tenants, claims } of issuers) {
    if (tenant !== undefined && !isTenantName(tenant)) throw contradictory(name, `tenant: "${tenant}" cannot be the name of a tenant`);
    if (tenant !== undefined && (claims.tenant !== '' || claims.groupsWithoutTenant.length > 0 || tenants.length > 0))
      throw contradictory(
        name,
        'tenant is that of all its people: claims.tenant, claims.groupsWithoutTenant and tenants say something else',
      );
    if (tenants.length > 0 && claims.tenant === '') throw contradictory(name, 'tenants has no effect without claims.tenant');
  }
}

function contradictory(issuer: string, problem: string): Error {
  return errors.IDENTITY_OIDC_TENANT_CONTRADICTORY({ message: `issuers: provider "${issuer}": ${problem}` });
}
