import { isTapError, type Immutable, type Resources } from '@tappaas/sdk';
import type { Namespace } from '@tappaas/sdk/kubernetes';
import { Namespaces, rbacGroup, RoleBindings } from './kinds.js';
import { subjectOfUser } from './subject.js';

const requester = 'tappaas.dev/requester';
const bound = 'tappaas.dev/requester-bound';

/** Binds the creator of a namespace to tenant-admin, once: a binding that is deleted later is not created again. */
export async function bindRequester(namespace: Immutable<Namespace>, resources: Resources): Promise<void> {
  const { name = '', annotations = {}, deletionTimestamp } = namespace.metadata;
  const user = annotations[requester];
  if (user === undefined || annotations[bound] !== undefined || deletionTimestamp !== undefined) return;
  const { kind, name: subject, namespace: home } = subjectOfUser(user);
  const identity = kind === 'ServiceAccount' ? { kind, name: subject, namespace: home } : { kind, name: subject, apiGroup: rbacGroup };
  await resources
    .create(RoleBindings, {
      metadata: { name: 'requester', namespace: name },
      roleRef: { apiGroup: rbacGroup, kind: 'ClusterRole', name: 'tenant-admin' },
      subjects: [identity],
    })
    .catch((error: unknown) => {
      if (!isTapError(error, 'TAP_OBJECT_EXISTS')) throw error;
    });
  await resources.patch(Namespaces, { name }, { metadata: { annotations: { [bound]: 'true' } } });
}
