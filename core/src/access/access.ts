import { type AccessDecision, type AccessRequest, type Authorizer, type Caller, platformEngine } from '@tappaas/sdk';
import { askAuthorizers } from './authorizer-chain.js';
import { builtInDecision } from './built-in-rules.js';
import { brokenText } from './broken-text.js';
import { refusedByScope } from './credential-scope.js';
import { ownersAccess, type Owners } from './owned-objects.js';
import { administers, isMaking, isNamespace, isReading, oversees, sideOf } from './tenant-boundary.js';
import { RememberedAnswers } from './remembered-answers.js';
import type { AccessQuestion, Verdict } from '../ports/access.js';
import { onceKnown } from './once-known.js';
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

const nobody: Place = Object.freeze({});

/** The built-in rules, then the boundary of the caller's tenant, then every authorizer. */
export function createAccess({ authorizers, missing, places }: AccessOptions): Access {
  /** A namespace is governed as if it lay in itself, as in Kubernetes. */
  const namespaceOf = ({ resource }: Pick<AccessRequest, 'resource'>): string | undefined =>
    resource === undefined ? undefined : isNamespace(resource) ? resource.name : resource.namespace;

  const placed = <R extends Pick<AccessRequest, 'engine' | 'resource'>>(request: R): R & Place => {
    const namespace = namespaceOf(request);
    return { ...request, ...(namespace === undefined ? nobody : places.now(request.engine, namespace)) };
  };

  const labelled = (request: AccessRequest): AccessRequest => {
    const { engine, resource } = request;
    const labels = resource?.name === undefined || isMaking(request) ? undefined : places.labels(engine, resource);
    return labels === undefined ? request : { ...request, labels };
  };

  const askAnew = (asked: readonly Authorizer[], request: AccessRequest): AccessDecision | Promise<AccessDecision> => {
    const broken = brokenText(request);
    if (broken !== undefined) return { decision: 'deny', reason: `the ${broken} asked about is no Unicode text` };
    return askAuthorizers(asked, asked.some(({ readsLabels }) => readsLabels === true) ? labelled(request) : request);
  };

  const answers = new RememberedAnswers();
  const ask = (request: AccessQuestion): Verdict | Promise<Verdict> => {
    const absent = missing();
    if (absent.length > 0) return { decision: 'deny', reason: `authorizer ${absent.join(', ')} is configured and does not run` };
    return answers.answer(authorizers(), request, askAnew);
  };

  const isGranted = (request: AccessRequest): boolean | Promise<boolean> => {
    const answer = builtInDecision(request) ?? ask(request);
    return answer instanceof Promise ? answer.then(isAllowed) : isAllowed(answer);
  };
  const isAdministrator = (caller: Caller) => isGranted(administers({ caller, engine: platformEngine }));
  const isOverseer = (caller: Caller) => isGranted(oversees({ caller, engine: platformEngine }));

  /** The request with whose its namespace is for sure; nothing where that was known already. */
  const replaced = (
    request: AccessQuestion & Place,
  ): (AccessQuestion & Place) | undefined | Promise<(AccessQuestion & Place) | undefined> => {
    const namespace = namespaceOf(request);
    if (namespace === undefined) return undefined;
    return onceKnown(places.settled(request.engine, namespace), (place) => {
      if (place.tenant === request.tenant && place.project === request.project) return undefined;
      const { project: _, tenant: __, ...rest } = request;
      return { ...rest, ...place };
    });
  };

  /** The boundary decided on what is known now may be behind; a refusal counts only once it was come to on what is known for sure. */
  const cross = async (request: AccessQuestion & Place, tenant: string, reason: string): Promise<Verdict> => {
    const again = await replaced(request);
    if (again !== undefined && sideOf(again, tenant).side !== 'outside') return within(again, tenant);
    return (await isAdministrator(request.caller)) ? ask(request) : { decision: 'deny', reason };
  };

  const within = (request: AccessQuestion & Place, tenant: string): Verdict | Promise<Verdict> => {
    const side = sideOf(request, tenant);
    if (side.side === 'outside') return cross(request, tenant, side.reason);
    if (!isReading(request) && places.isSuspended(tenant)) return suspended(request, tenant);
    if (side.side === 'inside') return ask(request);
    const { narrowed } = side;
    const own = (answer: AccessDecision): Verdict =>
      answer.decision === 'deny'
        ? answer
        : { decision: 'allow', reason: `it belongs to the caller's tenant ${tenant}`, ...(narrowed && { narrowed }) };
    const answer = ask(request);
    return answer instanceof Promise ? answer.then(own) : own(answer);
  };

  const suspended = async (request: AccessQuestion & Place, tenant: string): Promise<Verdict> =>
    (await isAdministrator(request.caller))
      ? ask(request)
      : { decision: 'deny', reason: `tenant ${tenant} is suspended: it can read only` };

  const outside = outOfTenants({ ask, isOverseer, places });
  /** What is granted everywhere opens what is not known to be a tenant's, so whatever is decided counts only on what is known for sure. */
  const beyond = (request: AccessQuestion & Place): Verdict | Promise<Verdict> =>
    onceKnown(outside.authorize(request), (decided) =>
      onceKnown(replaced(request), (again) => (again === undefined ? decided : outside.authorize(again))),
    );
  const owned = ownersAccess({ ask, isAdministrator, places });

  return {
    placed,
    isAdministrator,
    isProjectOnly({ caller, engine, namespace }) {
      if (caller.tenant !== undefined) return false;
      if (namespace === undefined) return outside.isProjectOnly(caller);
      return onceKnown(places.settled(engine, namespace), (place) => outside.isProjectOnly(caller, { engine, namespace, ...place }));
    },
    authorize(question) {
      const decided = refusedByScope(question) ?? builtInDecision(question) ?? owned(question);
      if (decided !== undefined) return decided;
      const request = placed(question);
      const { tenant } = question.caller;
      return tenant === undefined ? beyond(request) : within(request, tenant);
    },
  };
}

const isAllowed = ({ decision }: AccessDecision): boolean => decision === 'allow';
