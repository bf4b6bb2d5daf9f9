import { type AccessRequest, isTenantName, platformEngine, tenantLabel } from '@tappaas/sdk';
import type { AccessQuestion, Narrowing } from '../ports/access.js';
import type { Places } from './access.js';

/** The position of a request relative to a tenant's boundary; `own` is allowed to every member of the tenant. */
export type Side =
  | { readonly side: 'inside' }
  | { readonly side: 'own'; readonly narrowed?: Narrowing }
  | { readonly side: 'outside'; readonly reason: string };

/** Whether the cluster-scoped objects of a kind are the same for all tenants. */
type IsShared = Places['isShared'];

const inside: Side = { side: 'inside' };
const reading = new Set(['get', 'list', 'watch']);
/** Whether the request only reads. */
export const isReading = ({ verb }: Pick<AccessRequest, 'verb'>): boolean => reading.has(verb);
/** Whether the request creates an object; subresources and actions are posted to an existing one. */
export const isMaking = ({ verb, resource }: Pick<AccessRequest, 'verb' | 'resource'>): boolean =>
  verb === 'create' && resource?.subresource === undefined;
/** Whether a question is about Namespace objects themselves: a namespace lies in the namespace that it names. */
export const isNamespace = ({ group, plural }: { readonly group: string; readonly plural: string }): boolean =>
  group === '' && plural === 'namespaces';
const tenants = 'platform.tappaas.dev/tenants';

/** Paths outside any tenant. (Routes of plugins are among them because their handlers get the caller's tenant.) */
const sharedPath = /^\/(?:api|apis|openapi|version|livez|healthz|readyz)(?:\/|$)|^\/graphql$|^\/plugins\/(?!platform(?:\/|$))./;

/**
 * Whether a tenant's caller stays within the tenant: its namespaces, its own Tenant object, and what belongs to no tenant. Roles can
 * never widen this. The request names the tenant of its namespace; a namespace without one is the platform's.
 */
export function sideOf(request: AccessQuestion, tenant: string, isShared: IsShared): Side {
  const { resource, path, engine } = request;
  if (!isTenantName(tenant)) return outside(tenant);
  if (resource === undefined) return path !== undefined && sharedPath.test(path) ? inside : outside(tenant);
  const { group, plural, name, namespace } = resource;
  const reads = isReading(request);
  if (isNamespace(resource)) return namespaceSide(request, tenant, engine === platformEngine);
  if (namespace !== undefined) return request.tenant === tenant ? inside : outside(tenant);
  if (`${group}/${plural}` === tenants && engine === platformEngine && reads && resource.subresource === undefined) {
    return name === undefined
      ? narrowed(request, tenant, { fieldSelector: `metadata.name=${tenant}` })
      : name === tenant
        ? { side: 'own' }
        : outside(tenant);
  }
  return reads && isShared(engine, resource) ? inside : outside(tenant);
}

/** A new namespace belongs to the tenant that creates it; on other engines the platform creates namespaces. */
function namespaceSide(request: AccessQuestion, tenant: string, isPlatform: boolean): Side {
  const { verb, resource } = request;
  const reads = isReading(request);
  if (!reads && !isPlatform) return outside(tenant);
  if (resource?.name !== undefined) {
    if (isMaking(request)) return inside;
    if (request.tenant !== tenant) return outside(tenant);
    return reads && resource.subresource === undefined ? { side: 'own' } : inside;
  }
  if (verb === 'create') return inside;
  return reads && isPlatform ? narrowed(request, tenant, { labelSelector: `${tenantLabel}=${tenant}` }) : outside(tenant);
}

function narrowed({ canNarrow }: AccessQuestion, tenant: string, narrowing: Narrowing): Side {
  return canNarrow === true ? { side: 'own', narrowed: narrowing } : outside(tenant);
}

/** The reason is the same for another tenant's object and for a missing one, so that it does not reveal whether the object exists. */
function outside(tenant: string): Side {
  return { side: 'outside', reason: `it is not within the caller's tenant ${tenant}` };
}

type Whom = Pick<AccessRequest, 'caller' | 'engine'>;

/** Makes the question whether a caller is above tenants; roles that allow everything, such as the administrators', allow this too. */
export const administers = (whom: Whom): AccessRequest => aboutTenants('administer', whom);

/** Makes the question whether a caller without a tenant may use its cluster-wide roles inside tenants. */
export const oversees = (whom: Whom): AccessRequest => aboutTenants('oversee', whom);

function aboutTenants(verb: string, { caller, engine }: Whom): AccessRequest {
  return { caller, engine, verb, resource: { group: 'platform.tappaas.dev', version: 'v1alpha1', plural: 'tenants' } };
}
