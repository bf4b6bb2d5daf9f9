import type { AnyKind, Denial, KindBehaviour } from '@tappaas/sdk';
import { configMapBehaviour } from './config-map.js';
import { namespaceBehaviour } from './namespace.js';
import { roleBehaviour } from './role.js';
import { roleBindingBehaviour } from './role-binding.js';
import { secretBehaviour } from './secret.js';

/** Rules of Kubernetes' own kinds beyond their schemas; they apply on every engine, regardless of who contributes the kind. */
const behaviours: Readonly<Record<string, KindBehaviour<AnyKind>>> = Object.freeze({
  '/Namespace': namespaceBehaviour,
  '/Secret': secretBehaviour,
  '/ConfigMap': configMapBehaviour,
  'rbac.authorization.k8s.io/Role': roleBehaviour,
  'rbac.authorization.k8s.io/ClusterRole': roleBehaviour,
  'rbac.authorization.k8s.io/RoleBinding': roleBindingBehaviour,
  'rbac.authorization.k8s.io/ClusterRoleBinding': roleBindingBehaviour,
});

/** Combines the rules of a Kubernetes kind with those of its contributor. */
export function kubernetesBehaviour(groupKind: string, added: KindBehaviour<AnyKind> = {}): KindBehaviour<AnyKind> {
  const known = Object.hasOwn(behaviours, groupKind) ? behaviours[groupKind] : undefined;
  if (known === undefined) return added;
  return {
    ...added,
    default(draft: never, previous: never) {
      known.default?.(draft, previous);
      added.default?.(draft, previous);
    },
    check: (object: never, previous?: never): readonly Denial[] => [
      ...(known.check?.(object, previous) ?? []),
      ...(added.check?.(object, previous) ?? []),
    ],
  };
}
