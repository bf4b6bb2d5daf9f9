import { setImmediate as turn } from 'node:timers/promises';
import {
  type AccessRequest,
  type AccessSubject,
  authenticatedGroup,
  type Caller,
  platformEngine,
  serviceAccountGroups,
  serviceAccountUser,
} from '@tappaas/sdk';
import type { Access } from './access.js';

/** A subject that is allowed something, and the tenant it must have for it. None of the three: its tenant is fixed (a service account). */
export interface PlacedSubject extends AccessSubject {
  /** A subject of this name is allowed as a member of this tenant; for a service account: the tenant that owns it. */
  readonly tenant?: string;
  /** A subject of this name is allowed if it has no tenant. */
  readonly withoutTenant?: true;
  /** A subject of this name is allowed as a member of any tenant. */
  readonly ofAnyTenant?: true;
}

type Question = Omit<AccessRequest, 'caller'>;

/** A placeholder tenant name: a subject allowed as its member is allowed as a member of any tenant. */
const anyTenant = 'any';

/** Maximum number of subjects checked for one question. */
const subjectsMax = 1_000;
/** Subjects checked before yielding to other work: each takes up to three questions, and policies may take milliseconds for one. */
const inTurnMax = 10;

/** The subjects that are allowed, and how many were not checked. */
export interface PlacedSubjects {
  readonly subjects: readonly PlacedSubject[];
  readonly remaining: number;
}

/**
 * Tries each subject as a member of the tenant, of no tenant and of any tenant, and drops it if none of the three is allowed: a tenant
 * comes with a credential, while bindings name only users and groups. At most 1,000 subjects are checked.
 */
export async function withTenants(access: Access, subjects: readonly AccessSubject[], question: Question): Promise<PlacedSubjects> {
  const placed: PlacedSubject[] = [];
  const count = Math.min(subjects.length, subjectsMax);
  for (let from = 0; from < count; from += inTurnMax) {
    if (from > 0) await turn();
    const some = subjects.slice(from, Math.min(from + inTurnMax, count));
    const found = await Promise.all(some.map((subject) => placedSubject(access, subject, question)));
    placed.push(...found.flatMap((subject) => subject ?? []));
  }
  return { subjects: placed, remaining: subjects.length - count };
}

async function placedSubject(access: Access, subject: AccessSubject, question: Question): Promise<PlacedSubject | undefined> {
  const { tenant } = question;
  const may = async (caller: Caller): Promise<boolean> =>
    (await access.authorize({ ...question, caller, canNarrow: true })).decision === 'allow';
  if (subject.kind === 'ServiceAccount') {
    const own = accountOf(access, subject);
    return (await may(own)) ? { ...subject, ...(own.tenant !== undefined && { tenant: own.tenant }) } : undefined;
  }
  const caller = callerOf(subject);
  const [ofAnyTenant, ofTenant, ofNone] = await Promise.all([
    tenant === undefined ? may({ ...caller, tenant: anyTenant }) : access.isAdministrator(caller),
    tenant !== undefined && may({ ...caller, tenant }),
    may(caller),
  ]);
  if (ofAnyTenant) return { ...subject, ofAnyTenant: true };
  if (!ofTenant && !ofNone) return undefined;
  return { ...subject, ...(ofTenant && { tenant }), ...(ofNone && { withoutTenant: true }) };
}

function callerOf({ kind, name }: AccessSubject): Caller {
  return kind === 'Group' ? { name: '', groups: [...new Set([name, authenticatedGroup])] } : { name, groups: [authenticatedGroup] };
}

/** A service account belongs to the tenant of its namespace. */
function accountOf(access: Access, { name, namespace = '' }: AccessSubject): Caller {
  const resource = { group: '', version: 'v1', plural: 'serviceaccounts', namespace };
  const { tenant } = access.placed({ engine: platformEngine, resource });
  const groups = [...serviceAccountGroups(namespace), authenticatedGroup];
  return { name: serviceAccountUser(namespace, name), groups, ...(tenant !== undefined && { tenant }) };
}
