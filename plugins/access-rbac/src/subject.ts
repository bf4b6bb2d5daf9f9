import type { AccessSubject, Immutable } from '@tappaas/sdk';
import type { Subject } from '@tappaas/sdk/kubernetes';

const serviceAccountPrefix = 'system:serviceaccount:';

/** The callers that a subject of a binding refers to: those of that name, or in that group. */
export interface Addressee {
  readonly sort: 'users' | 'groups';
  readonly name: string;
}

/** A service account without a namespace is that of the binding's. Nothing for what means nobody. */
export function addresseeOf({ kind, name, namespace }: Immutable<Subject>, bindingNamespace: string | undefined): Addressee | undefined {
  if (kind === 'User') return { sort: 'users', name };
  if (kind === 'Group') return { sort: 'groups', name };
  const home = namespace ?? bindingNamespace ?? '';
  return kind === 'ServiceAccount' && home !== '' ? { sort: 'users', name: `${serviceAccountPrefix}${home}:${name}` } : undefined;
}

/** The subject that stands for a caller of that name. */
export function subjectOfUser(user: string): Pick<AccessSubject, 'kind' | 'name' | 'namespace'> {
  const [namespace, name, ...more] = user.startsWith(serviceAccountPrefix) ? user.slice(serviceAccountPrefix.length).split(':') : [];
  if (namespace === undefined || name === undefined || more.length > 0) return { kind: 'User', name: user };
  return { kind: 'ServiceAccount', name, namespace };
}
