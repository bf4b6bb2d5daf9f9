import type { AccessRequest, AccessSubject, Caller } from '@tappaas/sdk';
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

const authenticated = 'system:authenticated';
/** Nobody's: who may as somebody of this tenant may as somebody of any. */
const anyTenant = 'any';

/**
 * Tenants come with credentials, and bindings name users and groups: so each subject is asked about as whom it could be, and is left out
 * when it may as none of them.
 */
export async function withTenants(access: Access, subjects: readonly AccessSubject[], asked: Asked): Promise<readonly PlacedSubject[]> {
  const placed = await Promise.all(subjects.map((subject) => placedSubject(access, subject, asked)));
  return placed.flatMap((subject) => subject ?? []);
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
  return kind === 'Group' ? { name: '', groups: [...new Set([name, authenticated])] } : { name, groups: [authenticated] };
}

/** A service account is of the tenant that its namespace is of. */
function accountOf(access: Access, { name, namespace = '' }: AccessSubject): Caller {
  const resource = { group: '', version: 'v1', plural: 'serviceaccounts', namespace };
  const { tenant } = access.placed({ engine: 'platform', resource });
  const groups = ['system:serviceaccounts', `system:serviceaccounts:${namespace}`, authenticated];
  return { name: `system:serviceaccount:${namespace}:${name}`, groups, ...(tenant !== undefined && { tenant }) };
}
