import { platformEngine } from '@tappaas/sdk';
import type { TenantObject } from '@tappaas/sdk/kinds';
import type { Engines } from '../engines.js';

type TenantRate = NonNullable<TenantObject['spec']['requests']>;

const tenants = { group: 'platform.tappaas.dev', version: 'v1alpha1', plural: 'tenants' };
const never = new AbortController().signal;

/** Returns the rates from the cached Tenant objects; a tenant without an object has the default rate. */
export function tenantRates(engines: Engines): (tenant: string) => TenantRate | undefined {
  return (name) => {
    const found = engines.all.get(platformEngine)?.get({ kind: tenants, name }, { resourceVersion: '0', signal: never });
    if (!(found instanceof Promise)) return (found?.object as TenantObject | undefined)?.spec.requests;
    // The object does not exist, or the cache has not started: the default rate applies until the next lookup.
    found.catch(() => {});
    return undefined;
  };
}
