import { type AccessDecision, type AccessRequest, type Authorizer, type Caller, platformEngine } from '@tappaas/sdk';
import type { AccessQuestion, Verdict } from '../ports/access.js';
import { askedAuthorizers } from './asked-authorizers.js';
import { builtInDecision } from './built-in-rules.js';
import { refusedByScope } from './credential-scope.js';
import { onceKnown } from './once-known.js';
import { ownersAccess, type Owners } from './owned-objects.js';
import { placedAnew, placedNow, type PlacedQuestion } from './placed-request.js';
import { administers, oversees } from './tenant-boundary.js';
import { withinTenants } from './within-tenant.js';
import { outOfTenants } from './without-tenant.js';

/** The owners of a namespace. */
export interface Place {
  /** The platform's namespace whose roles govern it. */
  readonly project?: string;
  readonly tenant?: string;
}

/** Knows whose namespaces are, on every engine. */
export interface Places {
  /** As far as it is known now; may be a moment behind. */
  now(engine: string, namespace: string): Place;
  /** With everything that was acknowledged before the call. */
  settled(engine: string, namespace: string): Place | Promise<Place>;
  /** Labels of a stored object; nothing when there is none. */
  labels(engine: string, resource: NonNullable<AccessRequest['resource']>): Readonly<Record<string, string>> | undefined;
  /** The tenant's writes are refused. */
  isSuspended(tenant: string): boolean;
  /** Whether a request that names no namespace is about the objects of all namespaces; also for kinds that nobody knows. */
  spansNamespaces(engine: string, resource: NonNullable<AccessRequest['resource']>): boolean;
  /** Whether the objects of a kind without namespaces are the same for all tenants, as the kind itself says. */
  isShared(engine: string, resource: NonNullable<AccessRequest['resource']>): boolean;
  readonly owners: Owners;
}

export interface AccessOptions {
  readonly authorizers: () => readonly Authorizer[];
  /** Authorizers that are configured and do not run: as long as one is missing, nobody but the built-in rules allows anything. */
  readonly missing: () => readonly string[];
  readonly places: Places;
}

/** Answers what a caller may do. */
export interface Access {
  readonly authorize: (question: AccessQuestion) => Verdict | Promise<Verdict>;
  /** Whether a caller stands above tenants. */
  readonly isAdministrator: (caller: Caller) => boolean | Promise<boolean>;
  /**
   * Whether only what is granted in a namespace itself counts there, as the caller is of no tenant. Without a namespace: whether what the
   * caller is granted everywhere does not hold in all of them.
   */
  readonly isProjectOnly: (where: Pick<AccessRequest, 'caller' | 'engine'> & { readonly namespace?: string }) => boolean | Promise<boolean>;
  /** The request with whose namespace it is about. */
  readonly placed: <R extends Pick<AccessRequest, 'engine' | 'resource'>>(request: R) => R & Place;
}

/** The scope of the credential and the built-in rules, then the boundary of the caller's tenant, then every authorizer. */
export function createAccess(options: AccessOptions): Access {
  const { places } = options;
  const ask = askedAuthorizers(options);
  const isGranted = (request: AccessRequest): boolean | Promise<boolean> => onceKnown(builtInDecision(request) ?? ask(request), isAllowed);
  const isAdministrator = (caller: Caller) => isGranted(administers({ caller, engine: platformEngine }));
  const isOverseer = (caller: Caller) => isGranted(oversees({ caller, engine: platformEngine }));

  const owned = ownersAccess({ ask, isAdministrator, places });
  const within = withinTenants({ ask, isAdministrator, places });
  const outside = outOfTenants({ ask, isOverseer, places });
  /** What is granted everywhere opens what is not known to be a tenant's, so whatever is decided counts only on what is known for sure. */
  const beyond = (request: PlacedQuestion): Verdict | Promise<Verdict> =>
    onceKnown(outside.authorize(request), (decided) =>
      onceKnown(placedAnew(request, places), (again) => (again === undefined ? decided : outside.authorize(again))),
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
