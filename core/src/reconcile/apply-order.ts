/** Stands for the Jobs that have to complete before anything that serves is touched. */
export const releaseTaskKind = 'release task';

/**
 * What has to be there before what. Kinds that are not listed come between configuration and workloads, where most custom resources
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

/** Splits into waves, each to be finished before the next begins: for applying in this order, for deleting in reverse. */
export function inWaves<T>(items: readonly T[], kindOf: (item: T) => string, direction: 'apply' | 'delete'): readonly (readonly T[])[] {
  const groups = Map.groupBy(items, (item) => waveOfKind.get(kindOf(item)) ?? unlisted);
  const sign = direction === 'apply' ? 1 : -1;
  return [...groups].toSorted(([one], [other]) => sign * (one - other)).map(([, group]) => group);
}
