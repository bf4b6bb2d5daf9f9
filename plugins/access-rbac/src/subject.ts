import type { AccessSubject, Immutable } from '@tappaas/sdk';
import type { Subject } from '@tappaas/sdk/kubernetes';

const serviceAccountPrefix = 'system:serviceaccount:';

/** The callers that a subject of a binding refers to: a user name or a group. */
export interface RoleSubject {
  readonly sort: 'users' | 'groups';
  readonly name: string;
}

/**
 * The addressee of a subject. A service account without a namespace is in the binding's namespace. Undefined if the
 * subject matches no caller.
 */
export function roleSubjectOf(
  { kind, name, namespace }: Immutable<Subject>,
  bindingNamespace: string | undefined,
): RoleSubject | undefined {
  if (kind === 'User') return { sort: 'users', name };
  if (kind === 'Group') return { sort: 'groups', name };
  const home = namespace ?? bindingNamespace ?? '';
  return kind === 'ServiceAccount' && home !== '' ? { sort: 'users', name: `${serviceAccountPrefix}${home}:${name}` } : undefined;
}

/** The subject for a user name; names of service accounts become ServiceAccount subjects. */
export function subjectOfUser(user: string): Pick<AccessSubject, 'kind' | 'name' | 'namespace'> {
  const [namespace, name, ...more] = user.startsWith(serviceAccountPrefix) ? user.slice(serviceAccountPrefix.length).split(':') : [];
  if (namespace === undefined || name === undefined || more.length > 0) return { kind: 'User', name: user };
  return { kind: 'ServiceAccount', name, namespace };
}
