import { type AccessDecision, type AccessRequest, type Authorizer, type Caller, platformEngine } from '@tappaas/sdk';
import type { AccessQuestion, Verdict } from '../ports/access.js';
import { cachedAuthorize } from './cached-authorize.js';
import { builtInDecision } from './built-in-rules.js';
import { refusedByScope } from './credential-scope.js';
import { onceKnown } from './once-known.js';
import { ownersAccess, type Owners } from './owned-objects.js';
import { withPlace, placedNow, type PlacedQuestion } from './placed-request.js';
import { administers, oversees } from './tenant-boundary.js';
import { withinTenants } from './within-tenant.js';
import { outOfTenants } from './without-tenant.js';

/** The owners of a namespace. */
export interface Place {
  /** The platform namespace whose roles govern it. */
  readonly project?: string;
  readonly tenant?: string;
}

/** Looks up the owners of namespaces on every engine. */
export interface Places {
  /** As currently known; may lag slightly. */
  now(engine: string, namespace: string): Place;
  /** Includes everything acknowledged before the call. */
  settled(engine: string, namespace: string): Place | Promise<Place>;
  /** Labels of a stored object; undefined when it does not exist. */
  labels(engine: string, resource: NonNullable<AccessRequest['resource']>): Readonly<Record<string, string>> | undefined;
  /** Whether the tenant is suspended, so that its writes are refused. */
  isSuspended(tenant: string): boolean;
  /** Whether a request without a namespace covers the objects of all namespaces; true for unknown kinds as well. */
  spansNamespaces(engine: string, resource: NonNullable<AccessRequest['resource']>): boolean;
  /** Whether the cluster-scoped objects of a kind are the same for all tenants, as the kind declares. */
  isShared(engine: string, resource: NonNullable<AccessRequest['resource']>): boolean;
  readonly owners: Owners;
}

export interface AccessOptions {
  readonly authorizers: () => readonly Authorizer[];
  /** Returns configured authorizers that are not running: while one is missing, only the built-in rules allow anything. */
  readonly missing: () => readonly string[];
  readonly places: Places;
}

/** Decides what callers may do. */
export interface Access {
  readonly authorize: (question: AccessQuestion) => Verdict | Promise<Verdict>;
  /** Whether a caller is above tenants. */
  readonly isAdministrator: (caller: Caller) => boolean | Promise<boolean>;
  /**
   * Whether only grants in the namespace itself count there for the caller, because it has no tenant. Without a namespace: whether the
   * caller's cluster-wide grants do not apply in all namespaces.
   */
  readonly isProjectOnly: (where: Pick<AccessRequest, 'caller' | 'engine'> & { readonly namespace?: string }) => boolean | Promise<boolean>;
  /** Adds the owners of its namespace to a request. */
  readonly placed: <R extends Pick<AccessRequest, 'engine' | 'resource'>>(request: R) => R & Place;
}

/**
 * Makes access control: the scope of the credential and the built-in rules come first, then the boundary of the caller's tenant, then every
 * authorizer.
 */
export function createAccess(options: AccessOptions): Access {
  const { places } = options;
  const ask = cachedAuthorize(options);
  const isGranted = (request: AccessRequest): boolean | Promise<boolean> => onceKnown(builtInDecision(request) ?? ask(request), isAllowed);
  const isAdministrator = (caller: Caller) => isGranted(administers({ caller, engine: platformEngine }));
  const isOverseer = (caller: Caller) => isGranted(oversees({ caller, engine: platformEngine }));

  const owned = ownersAccess({ ask, isAdministrator, places });
  const within = withinTenants({ ask, isAdministrator, places });
  const outside = outOfTenants({ ask, isOverseer, places });
  /** Cluster-wide grants apply where no tenant is known, so a decision counts only if it holds for the settled owners as well. */
  const beyond = (request: PlacedQuestion): Verdict | Promise<Verdict> =>
    onceKnown(outside.authorize(request), (decided) =>
      onceKnown(withPlace(request, places), (again) => (again === undefined ? decided : outside.authorize(again))),
    );

  return {
    placed: (request) => placedNow(request, places),
    isAdministrator,
    isProjectOnly({ caller, engine, namespace }) {
      if (caller.tenant !== undefined) return false;
      if (namespace === undefined) return outside.isProjectOnly(caller);
      return onceKnown(places.settled(engine, namespace), (place) => outside.isProjectOnly(caller, { engine, namespace, ...place }));
    },
    authorize(question) {
      const decided = refusedByScope(question) ?? builtInDecision(question) ?? owned(question);
      if (decided !== undefined) return decided;
      const request = placedNow(question, places);
      const { tenant } = question.caller;
      return tenant === undefined ? beyond(request) : within(request, tenant);
    },
  };
}

const isAllowed = ({ decision }: AccessDecision): boolean => decision === 'allow';
