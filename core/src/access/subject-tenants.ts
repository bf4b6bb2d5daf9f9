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

/** Somebody who may do something, and of which tenant one has to be for it. None of the three: it has its own tenant in any case. */
export interface PlacedSubject extends AccessSubject {
  /** Whoever is called so and is of this tenant may; of a service account: whose it is. */
  readonly tenant?: string;
  /** Whoever is called so and is of no tenant may. */
  readonly withoutTenant?: true;
  /** Whoever is called so may, of whatever tenant. */
  readonly ofAnyTenant?: true;
}

type Asked = Omit<AccessRequest, 'caller'>;

/** Nobody's: who may as somebody of this tenant may as somebody of any. */
const anyTenant = 'any';

/** Subjects that are asked about for one question. */
const subjectsMax = 1_000;
/** Of them, before others get their turn: each takes up to three questions, and policies may take milliseconds for one. */
const inTurnMax = 10;

/** Those who may, and how many were not asked about. */
export interface PlacedSubjects {
  readonly subjects: readonly PlacedSubject[];
  readonly remaining: number;
}

/**
 * Tenants come with credentials, and bindings name users and groups: so each subject is asked about as whom it could be, and is left out
 * when it may as none of them. At most 1,000 are asked about.
 */
export async function withTenants(access: Access, subjects: readonly AccessSubject[], asked: Asked): Promise<PlacedSubjects> {
  const placed: PlacedSubject[] = [];
  const count = Math.min(subjects.length, subjectsMax);
  for (let from = 0; from < count; from += inTurnMax) {
    if (from > 0) await turn();
    const some = subjects.slice(from, Math.min(from + inTurnMax, count));
    const found = await Promise.all(some.map((subject) => placedSubject(access, subject, asked)));
    placed.push(...found.flatMap((subject) => subject ?? []));
  }
  return { subjects: placed, remaining: subjects.length - count };
}

async function placedSubject(access: Access, subject: AccessSubject, asked: Asked): Promise<PlacedSubject | undefined> {
  const { tenant } = asked;
  const may = async (caller: Caller): Promise<boolean> =>
    (await access.authorize({ ...asked, caller, canNarrow: true })).decision === 'allow';
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

/** A service account is of the tenant that its namespace is of. */
function accountOf(access: Access, { name, namespace = '' }: AccessSubject): Caller {
  const resource = { group: '', version: 'v1', plural: 'serviceaccounts', namespace };
  const { tenant } = access.placed({ engine: platformEngine, resource });
  const groups = [...serviceAccountGroups(namespace), authenticatedGroup];
  return { name: serviceAccountUser(namespace, name), groups, ...(tenant !== undefined && { tenant }) };
}
