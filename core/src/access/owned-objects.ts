import { fieldIs, type AccessRequest, type Caller } from '@tappaas/sdk';
import type { Places } from './access.js';
import { isMaking, isReading } from './tenant-boundary.js';
import type { AccessQuestion, Verdict } from '../ports/access.js';

/** The owner of an object; `tenant` is absent for a user without a tenant. */
export interface Owner {
  readonly user: string;
  readonly tenant?: string;
}

/** The fields of a kind that name an object's owner; field selectors can use them. */
export interface OwnerFields {
  /** Absent for kinds whose objects belong to a whole tenant. */
  readonly user?: string;
  readonly tenant: string;
}

/** The owner fields of kinds whose objects belong to users. */
interface UserFields extends OwnerFields {
  readonly user: string;
}

type Resource = NonNullable<AccessRequest['resource']>;

/** Looks up the owners of objects, for kinds whose objects have an owner. */
export interface Owners {
  /** The owner fields of a kind; undefined for kinds whose objects have no owner. */
  fields(engine: string, resource: Resource): OwnerFields | undefined;
  /** The owner of a stored object according to the cache; undefined when there is no such object. */
  now(engine: string, resource: Resource): Owner | undefined;
  /** As {@link now}, including every write that was acknowledged before the call. */
  settled(engine: string, resource: Resource): Promise<Owner | undefined>;
}

interface OwnerParts {
  readonly ask: (request: AccessRequest) => Verdict | Promise<Verdict>;
  readonly isAdministrator: (caller: Caller) => boolean | Promise<boolean>;
  readonly places: Pick<Places, 'isSuspended' | 'owners'>;
}

/**
 * Authorizes access to objects with an owner. A role's grant covers the caller's own objects, and the whole tenant's if the caller may
 * `administer` the kind. Returns undefined for kinds without an owner; for kinds owned by a whole tenant it decides about reads only.
 */
export function ownersAccess({ ask, isAdministrator, places }: OwnerParts): (question: AccessQuestion) => Promise<Verdict> | undefined {
  const mayAdminister = async ({ caller, engine }: AccessQuestion, { group, version, plural }: Resource): Promise<boolean> =>
    (await ask({ caller, engine, verb: 'administer', resource: { group, version, plural } })).decision === 'allow';

  const decide = async (request: AccessQuestion, resource: Resource, fields: UserFields): Promise<Verdict> => {
    const { caller, engine } = request;
    if (await isAdministrator(caller)) return ask(request);
    if (caller.tenant !== undefined && !isReading(request) && places.isSuspended(caller.tenant))
      return { decision: 'deny', reason: `tenant ${caller.tenant} is suspended: it can read only` };
    const answer = await ask(request);
    if (answer.decision !== 'allow' || isMaking(request)) return answer;
    const isOfAll = caller.tenant !== undefined && (await mayAdminister(request, resource));
    if (resource.name === undefined) {
      if (!isReading(request) || request.canNarrow !== true) return refused;
      return { ...answer, narrowed: { fieldSelector: selectorOf(caller, fields, isOfAll) } };
    }
    const isSeen = (owner: Owner | undefined): boolean =>
      owner !== undefined && owner.tenant === caller.tenant && (isOfAll || owner.user === caller.name);
    return isSeen(places.owners.now(engine, resource)) || isSeen(await places.owners.settled(engine, resource)) ? answer : refused;
  };

  const readShared = async (request: AccessQuestion, resource: Resource, field: string, tenant: string): Promise<Verdict> => {
    const { caller, engine } = request;
    const answer = await ask(request);
    if (answer.decision === 'deny' || (await isAdministrator(caller))) return answer;
    const reason = `it belongs to the caller's tenant ${tenant}`;
    if (resource.name === undefined) {
      if (request.canNarrow !== true) return refused;
      return { decision: 'allow', reason, narrowed: { fieldSelector: fieldIs(field, tenant) } };
    }
    const isOurs = (owner: Owner | undefined): boolean => owner?.tenant === tenant;
    const isSeen = isOurs(places.owners.now(engine, resource)) || isOurs(await places.owners.settled(engine, resource));
    return isSeen ? { decision: 'allow', reason } : refused;
  };

  return (request) => {
    const { caller, engine, resource } = request;
    if (resource === undefined || resource.namespace !== undefined) return undefined;
    const fields = places.owners.fields(engine, resource);
    if (fields === undefined) return undefined;
    const { user, tenant } = fields;
    if (user !== undefined) return decide(request, resource, { user, tenant });
    if (caller.tenant === undefined || !isReading(request) || resource.subresource !== undefined) return undefined;
    return readShared(request, resource, tenant, caller.tenant);
  };
}

/** The same answer for another user's object and for a missing one, so that it does not reveal whether the object exists. */
const refused: Verdict = { decision: 'deny', reason: 'it is not the caller’s' };

function selectorOf({ name, tenant = '' }: Caller, fields: UserFields, isOfAll: boolean): string {
  const ofTenant = fieldIs(fields.tenant, tenant);
  return isOfAll ? ofTenant : `${fieldIs(fields.user, name)},${ofTenant}`;
}
