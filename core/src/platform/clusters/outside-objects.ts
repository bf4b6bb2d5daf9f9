import { hooks, type AnyKind, type Immutable, type KubernetesObject } from '@tappaas/sdk';
import type { ApiResource } from '../../cluster/api-resource.js';
import type { Kernel } from '../../kernel/kernel.js';
import { platformErrors } from '../errors.js';

/** Throws for an object that may not be applied to a cluster. */
export type RefuseOutside = (object: Immutable<KubernetesObject>, resource: ApiResource) => void;

/** The origin of a rendering: the plugin that owns the kind's base objects, and their namespace on the cluster. */
export interface Rendered {
  readonly kind: AnyKind;
  readonly plugin: string;
  readonly namespace: string;
}

/**
 * Makes the check of objects to be applied. They are applied with the platform's rights, so they must stay in the namespace they are
 * rendered for, unless a plugin that renders the kind has permission (`cluster`, verb `create`) for objects outside: cluster-scoped or in
 * another namespace.
 *
 * @throws TAP_RENDER_OUTSIDE
 */
export function refuseOutside(kernel: Pick<Kernel, 'registrations' | 'plugin'>, { kind, plugin, namespace }: Rendered): RefuseOutside {
  return (object, resource) => {
    if (resource.namespaced && object.metadata.namespace === namespace) return;
    if (renderersOf(kernel, kind, plugin).some((renderer) => mayCreate(kernel.plugin(renderer)?.permissions, resource))) return;
    const { group, plural } = resource;
    const missing = `no plugin that renders ${kind.kind} has the permission "cluster: create ${group}/${plural}"`;
    throw platformErrors.TAP_RENDER_OUTSIDE({ message: `it lies outside of namespace ${namespace}, and ${missing}` });
  };
}

function renderersOf(kernel: Pick<Kernel, 'registrations'>, { group, kind }: AnyKind, owner: string): readonly string[] {
  const { taps } = kernel.registrations();
  const rendering = taps.filter(({ hook, kinds }) => hook === hooks.reconcile.render.name && kinds.includes(`${group}/${kind}`));
  return [owner, ...rendering.map(({ plugin }) => plugin)];
}

type Permissions = NonNullable<ReturnType<Kernel['plugin']>>['permissions'];

function mayCreate(permissions: Permissions | undefined, { group, plural }: ApiResource): boolean {
  const names = (list: readonly string[], word: string): boolean => list.includes(word) || list.includes('*');
  return (permissions?.cluster ?? []).some(
    ({ apiGroups, resources, verbs }) => names(apiGroups, group) && names(resources, plural) && names(verbs, 'create'),
  );
}
