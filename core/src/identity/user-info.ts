import { type Caller, scopeExtras, tenantLabel } from '@tappaas/sdk';

/** A caller in reviews of `authentication.k8s.io`. */
export interface UserInfo {
  readonly username: string;
  readonly groups: readonly string[];
  /** Data without a Kubernetes field, under names below `tappaas.dev/`. */
  readonly extra?: Readonly<Record<string, readonly string[]>>;
}

export function userInfoOf({ name, groups, tenant, scope }: Caller): UserInfo {
  const extra = {
    ...(tenant !== undefined && { [tenantLabel]: [tenant] }),
    ...(scope?.namespaces && { [scopeExtras.namespaces]: scope.namespaces }),
    ...(scope?.verbs && { [scopeExtras.verbs]: scope.verbs }),
  };
  return { username: name, groups, ...(Object.keys(extra).length > 0 && { extra }) };
}
