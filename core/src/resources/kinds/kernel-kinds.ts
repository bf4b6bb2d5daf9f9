import type { AnyKind } from '@tappaas/sdk';
import { Operation, PluginStatus, Tenant } from '@tappaas/sdk/kinds';
import { kubernetesHandle, type HandleOptions } from '@tappaas/sdk/kubernetes';
import type { KindRegistration, VirtualHandler } from '../kind-entry.js';

/** Handlers of review kinds, which are never stored; the stages that can answer them pass them in. */
export interface ReviewHandlers {
  readonly subjectAccessReview: VirtualHandler;
  readonly localSubjectAccessReview: VirtualHandler;
  readonly selfSubjectAccessReview: VirtualHandler;
  readonly selfSubjectRulesReview: VirtualHandler;
  readonly selfSubjectReview: VirtualHandler;
  readonly tokenReview: VirtualHandler;
}

/** Contributor of the built-in kinds. */
export const kernel = 'kernel';

const rbac = 'rbac.authorization.k8s.io';
const authorization = 'authorization.k8s.io';
const authentication = 'authentication.k8s.io';

/** Kubernetes' own kinds that any engine can serve. */
export function coreKinds(): readonly KindRegistration[] {
  return [
    served('', 'Namespace', { fields: ['status.phase'] }),
    served('', 'Secret', { fields: ['type'] }),
    served('', 'ConfigMap'),
    served('', 'ServiceAccount'),
    served('', 'Event', {
      fields: ['involvedObject.kind', 'involvedObject.namespace', 'involvedObject.name', 'involvedObject.uid', 'reason', 'type'],
    }),
    served('coordination.k8s.io', 'Lease'),
  ];
}

/** The kinds that the platform's own engine serves without plugins. */
export function kernelKinds(reviews: ReviewHandlers): readonly KindRegistration[] {
  return [
    ...coreKinds(),
    served(rbac, 'Role'),
    served(rbac, 'ClusterRole', { isShared: true }),
    served(rbac, 'RoleBinding'),
    served(rbac, 'ClusterRoleBinding'),
    ...reviewKinds(reviews),
    own(Tenant),
    own(PluginStatus),
    own(Operation),
  ];
}

/** Reviews about callers, which every engine answers for itself. */
export function reviewKinds(reviews: ReviewHandlers): readonly KindRegistration[] {
  return [
    { ...served(authorization, 'SubjectAccessReview'), virtual: reviews.subjectAccessReview },
    { ...served(authorization, 'LocalSubjectAccessReview'), virtual: reviews.localSubjectAccessReview },
    { ...served(authorization, 'SelfSubjectAccessReview'), virtual: reviews.selfSubjectAccessReview },
    { ...served(authorization, 'SelfSubjectRulesReview'), virtual: reviews.selfSubjectRulesReview },
    { ...served(authentication, 'SelfSubjectReview'), virtual: reviews.selfSubjectReview },
    { ...served(authentication, 'TokenReview'), virtual: reviews.tokenReview },
  ];
}

const own = (kind: AnyKind): KindRegistration => ({ kind, plugin: kernel });

function served(group: string, kind: string, extra: HandleOptions = {}): KindRegistration {
  return { kind: kubernetesHandle(group, kind, extra), plugin: kernel };
}
