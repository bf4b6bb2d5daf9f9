import {
  kubernetesHandle,
  type ClusterRole,
  type ClusterRoleBinding,
  type Namespace,
  type Role,
  type RoleBinding,
} from '@tappaas/sdk/kubernetes';

/** The API group of roles and bindings. */
export const rbacGroup = 'rbac.authorization.k8s.io';

export const Roles = kubernetesHandle<Role>(rbacGroup, 'Role');
export const ClusterRoles = kubernetesHandle<ClusterRole>(rbacGroup, 'ClusterRole');
export const RoleBindings = kubernetesHandle<RoleBinding>(rbacGroup, 'RoleBinding');
export const ClusterRoleBindings = kubernetesHandle<ClusterRoleBinding>(rbacGroup, 'ClusterRoleBinding');
export const Namespaces = kubernetesHandle<Namespace>('', 'Namespace');
