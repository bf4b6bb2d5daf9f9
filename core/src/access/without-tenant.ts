import { type AccessRequest, type Caller, platformEngine, platformNamespace, tenantLabel } from '@tappaas/sdk';
import type { Place, Places } from './access.js';
import { isNamespace, isReading } from './tenant-boundary.js';
import { onceKnown } from './once-known.js';
import type { AccessQuestion, Narrowing, Verdict } from '../ports/access.js';

/** The part of a request of a caller without a tenant; `project`: only grants in the namespace itself count. */
type OuterSide =
  | { readonly side: 'outside' }
  | { readonly side: 'project' }
  | { readonly side: 'across' }
  | { readonly side: 'narrowed'; readonly narrowed: Narrowing };

const outside: OuterSide = { side: 'outside' };
const project: OuterSide = { side: 'project' };
const across: OuterSide = { side: 'across' };
const ofNoTenant: OuterSide = { side: 'narrowed', narrowed: { labelSelector: `!${tenantLabel}` } };

/** A namespace and the tenant that owns it. */
interface Spot extends Pick<Place, 'tenant'> {
  readonly engine: string;
  readonly namespace: string;
}

/** Whether a namespace belongs to a tenant or to the platform itself. */
function isProject({ engine, namespace, tenant }: Spot): boolean {
  return tenant !== undefined || (engine === platformEngine && namespace === platformNamespace);
}

/** Determines which part of a request concerns tenants or the platform itself. The request names the tenant of its namespace. */
function outerSideOf(request: AccessQuestion, spansNamespaces: Places['spansNamespaces']): OuterSide {
  const { engine, resource, tenant, verb } = request;
  if (resource === undefined) return outside;
  if (tenant !== undefined) return project;
  const { namespace, name } = resource;
  const isPlatform = engine === platformEngine;
  if (isNamespace(resource)) {
    if (name !== undefined || verb === 'create') return outside;
    return isPlatform && isReading(request) && request.canNarrow === true ? ofNoTenant : across;
  }
  if (namespace !== undefined) return isProject({ engine, namespace }) ? project : outside;
  return verb !== 'impersonate' && spansNamespaces(engine, resource) ? across : outside;
}

interface OuterParts {
  readonly ask: (request: AccessRequest) => Verdict | Promise<Verdict>;
  /** Whether the grants of a caller's roles also apply inside tenants. */
  readonly isOverseer: (caller: Caller) => boolean | Promise<boolean>;
  readonly places: Pick<Places, 'isSuspended' | 'spansNamespaces'>;
}

/** The tenant boundary from the other side: callers without a tenant. */
interface Outsiders {
  readonly authorize: (request: AccessQuestion & Place) => Verdict | Promise<Verdict>;
  /** Whether only grants in the namespace itself count for the caller. Without `spot`: answers for grants that hold in every namespace. */
  readonly isProjectOnly: (caller: Caller, spot?: Spot) => boolean | Promise<boolean>;
}

/**
 * Authorizes callers without a tenant. Their cluster-wide grants do not apply inside tenants, unless a role lets them `oversee` tenants:
 * a credential that lacks its tenant by mistake must not open every tenant.
 */
export function outOfTenants({ ask, isOverseer, places }: OuterParts): Outsiders {
  const limited = (request: AccessQuestion & Place, side: Exclude<OuterSide, { readonly side: 'outside' }>): Verdict | Promise<Verdict> => {
    const { tenant } = request;
    if (side.side === 'across') return refused('it is about all tenants');
    if (side.side === 'narrowed') return onceKnown(ask(request), (answer) => narrowedBy(answer, side.narrowed));
    if (tenant !== undefined && !isReading(request) && places.isSuspended(tenant))
      return { decision: 'deny', reason: `tenant ${tenant} is suspended: it can be read only` };
    return onceKnown(ask({ ...request, isProjectOnly: true }), (answer) =>
      answer.decision === 'no-opinion' ? refused('nothing in the namespace itself grants it') : answer,
    );
  };
  const sideOf = (request: AccessQuestion & Place): OuterSide => outerSideOf(request, places.spansNamespaces);
  return {
    authorize(request) {
      const side = sideOf(request);
      if (side.side === 'outside') return ask(request);
      return onceKnown(isOverseer(request.caller), (isAbove) => (isAbove ? ask(request) : limited(request, side)));
    },
    isProjectOnly: (caller, spot) => (spot === undefined || isProject(spot)) && onceKnown(isOverseer(caller), (isAbove) => !isAbove),
  };
}

function narrowedBy(answer: Verdict, narrowed: Narrowing): Verdict {
  return answer.decision === 'allow' ? { ...answer, narrowed } : answer;
}

function refused(why: string): Verdict {
  return {
    decision: 'no-opinion',
    reason: `${why}, and the caller is of no tenant: it takes a role that may oversee tenants.platform.tappaas.dev`,
  };
}
