import { type AccessRequest, isTenantName, platformEngine, tenantLabel } from '@tappaas/sdk';
import type { AccessQuestion, Narrowing } from '../ports/access.js';

/** On which side of a tenant's boundary a request lies; `own` is what everybody of a tenant may. */
export type Side =
  | { readonly side: 'inside' }
  | { readonly side: 'own'; readonly narrowed?: Narrowing }
  | { readonly side: 'outside'; readonly reason: string };

const inside: Side = { side: 'inside' };
const reading = new Set(['get', 'list', 'watch']);
/** Whether it changes nothing. */
export const isReading = ({ verb }: Pick<AccessRequest, 'verb'>): boolean => reading.has(verb);
/** Whether it makes an object; parts and actions are posted to one that is there. */
export const isMaking = ({ verb, resource }: Pick<AccessRequest, 'verb' | 'resource'>): boolean =>
  verb === 'create' && resource?.subresource === undefined;
/** Whether a question is about namespaces themselves, whose place is what they are called. */
export const isNamespace = ({ group, plural }: { readonly group: string; readonly plural: string }): boolean =>
  group === '' && plural === 'namespaces';
const tenants = 'platform.tappaas.dev/tenants';

/** Kinds without a namespace that are the same for all tenants, and hold nothing of any. */
const shared = new Set([
  'rbac.authorization.k8s.io/clusterroles',
  'apps.tappaas.dev/runtimetypes',
  'apps.tappaas.dev/volumeclasses',
  'storage.k8s.io/storageclasses',
  'networking.k8s.io/ingressclasses',
  'scheduling.k8s.io/priorityclasses',
]);

/** Whose paths are not about anybody's objects; the handlers behind plugins' own paths see the caller's tenant. */
const sharedPath = /^\/(?:api|apis|openapi|version|livez|healthz|readyz)(?:\/|$)|^\/graphql$|^\/plugins\/(?!platform(?:\/|$))./;

/**
 * Whether a caller of a tenant stays within it: its namespaces, its own Tenant, and what belongs to nobody. Roles can never widen this.
 * The request knows the tenant of its namespace; a namespace without one is the platform's.
 */
export function sideOf(request: AccessQuestion, tenant: string): Side {
  const { resource, path, engine } = request;
  if (!isTenantName(tenant)) return outside(tenant);
  if (resource === undefined) return path !== undefined && sharedPath.test(path) ? inside : outside(tenant);
  const { group, plural, name, namespace } = resource;
  const kind = `${group}/${plural}`;
  const reads = isReading(request);
  if (isNamespace(resource)) return namespaceSide(request, tenant, engine === platformEngine);
  if (namespace !== undefined) return request.tenant === tenant ? inside : outside(tenant);
  if (kind === tenants && engine === platformEngine && reads && resource.subresource === undefined) {
    return name === undefined
      ? narrowed(request, tenant, { fieldSelector: `metadata.name=${tenant}` })
      : name === tenant
        ? { side: 'own' }
        : outside(tenant);
  }
  return reads && shared.has(kind) ? inside : outside(tenant);
}

/** New namespaces become the tenant's when they are made; on other engines the platform makes them. */
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

/** The reason is the same for what is another's and for what is not there, so that it tells nothing. */
function outside(tenant: string): Side {
  return { side: 'outside', reason: `it is not within the caller's tenant ${tenant}` };
}

type Whom = Pick<AccessRequest, 'caller' | 'engine'>;

/** What is asked of the authorizers to know whether a caller stands above tenants: everything allows it, as administrators' roles do. */
export const administers = (whom: Whom): AccessRequest => aboutTenants('administer', whom);

/** The same to know whether what a caller's roles allow holds for what is tenants', though the caller is of none. */
export const oversees = (whom: Whom): AccessRequest => aboutTenants('oversee', whom);

function aboutTenants(verb: string, { caller, engine }: Whom): AccessRequest {
  return { caller, engine, verb, resource: { group: 'platform.tappaas.dev', version: 'v1alpha1', plural: 'tenants' } };
}
