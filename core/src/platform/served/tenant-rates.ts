import { platformEngine } from '@tappaas/sdk';
import type { TenantObject } from '@tappaas/sdk/kinds';
import type { Engines } from '../engines.js';

type TenantRate = NonNullable<TenantObject['spec']['requests']>;

const tenants = { group: 'platform.tappaas.dev', version: 'v1alpha1', plural: 'tenants' };
const never = new AbortController().signal;

/** What Tenant objects say of requests, from the cache; a tenant without an object has what all have. */
export function tenantRates(engines: Engines): (tenant: string) => TenantRate | undefined {
  return (name) => {
    const found = engines.all.get(platformEngine)?.get({ kind: tenants, name }, { resourceVersion: '0', signal: never });
    if (!(found instanceof Promise)) return (found?.object as TenantObject | undefined)?.spec.requests;
    // It is not there, or the cache has not begun: the usual rate holds until somebody asks again.
    found.catch(() => {});
    return undefined;
  };
}
