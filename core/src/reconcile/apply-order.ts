/** Represents Jobs that must complete before any serving object is changed. */
export const releaseTaskKind = 'release task';

/**
 * The order in which kinds are applied. Kinds that are not listed come between configuration and workloads, where most custom resources
 * belong.
 */
const waves: readonly (readonly string[])[] = [
  ['Namespace', 'CustomResourceDefinition', 'PriorityClass', 'StorageClass', 'RuntimeClass'],
  ['ResourceQuota', 'LimitRange', 'NetworkPolicy', 'ServiceAccount'],
  ['Role', 'ClusterRole', 'RoleBinding', 'ClusterRoleBinding'],
  ['Secret', 'ConfigMap', 'PersistentVolume', 'PersistentVolumeClaim'],
  [releaseTaskKind],
  ['Service'],
  [],
  ['PodDisruptionBudget'],
  ['Pod', 'ReplicaSet', 'ReplicationController', 'Deployment', 'StatefulSet', 'DaemonSet', 'Job', 'CronJob'],
  ['HorizontalPodAutoscaler', 'VerticalPodAutoscaler'],
  ['Ingress', 'Gateway', 'HTTPRoute', 'GRPCRoute'],
];

const unlisted = waves.findIndex((kinds) => kinds.length === 0);
const waveOfKind = new Map(waves.flatMap((kinds, wave) => kinds.map((kind) => [kind, wave] as const)));

/** Splits items into waves, each of which must finish before the next: in this order to apply, in reverse to delete. */
export function inWaves<T>(items: readonly T[], kindOf: (item: T) => string, direction: 'apply' | 'delete'): readonly (readonly T[])[] {
  const groups = Map.groupBy(items, (item) => waveOfKind.get(kindOf(item)) ?? unlisted);
  const sign = direction === 'apply' ? 1 : -1;
  return [...groups].toSorted(([one], [other]) => sign * (one - other)).map(([, group]) => group);
}
