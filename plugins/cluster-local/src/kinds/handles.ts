import type {
  ConfigMap,
  CronJob,
  DaemonSet,
  Deployment,
  EndpointSlice,
  Event,
  Ingress,
  Job,
  KubernetesLease,
  KubernetesSecret,
  KubernetesService,
  Namespace,
  Node,
  Pod,
  PodDisruptionBudget,
  PriorityClass,
  ReplicaSet,
  ServiceAccount,
  StatefulSet,
} from '@tappaas/sdk';
import { kubernetesHandle } from '@tappaas/sdk/kubernetes';
import { columns } from './columns.js';

/** Typed handles of the Kubernetes kinds that the local cluster serves. */
export const Pods = kubernetesHandle<Pod>('', 'Pod', {
  fields: ['.spec.nodeName', '.spec.schedulerName', '.status.phase'],
  columns: columns.Pod,
});
export const Nodes = kubernetesHandle<Node>('', 'Node', { fields: ['.spec.unschedulable'], columns: columns.Node });
export const Services = kubernetesHandle<KubernetesService>('', 'Service', { columns: columns.Service });
export const ConfigMaps = kubernetesHandle<ConfigMap>('', 'ConfigMap');
export const Secrets = kubernetesHandle<KubernetesSecret>('', 'Secret', { fields: ['.type'], columns: columns.Secret });
export const Namespaces = kubernetesHandle<Namespace>('', 'Namespace', { fields: ['.status.phase'], columns: columns.Namespace });
export const ServiceAccounts = kubernetesHandle<ServiceAccount>('', 'ServiceAccount');
export const Events = kubernetesHandle<Event>('', 'Event', {
  fields: [
    '.involvedObject.kind',
    '.involvedObject.namespace',
    '.involvedObject.name',
    '.involvedObject.uid',
    '.involvedObject.apiVersion',
    '.involvedObject.resourceVersion',
    '.involvedObject.fieldPath',
    '.reason',
    '.type',
  ],
  columns: columns.Event,
});
export const Deployments = kubernetesHandle<Deployment>('apps', 'Deployment', { columns: columns.Deployment });
export const ReplicaSets = kubernetesHandle<ReplicaSet>('apps', 'ReplicaSet', {
  fields: ['.status.replicas'],
  columns: columns.ReplicaSet,
});
export const StatefulSets = kubernetesHandle<StatefulSet>('apps', 'StatefulSet', { columns: columns.StatefulSet });
export const DaemonSets = kubernetesHandle<DaemonSet>('apps', 'DaemonSet', { columns: columns.DaemonSet });
export const Jobs = kubernetesHandle<Job>('batch', 'Job', { columns: columns.Job });
export const CronJobs = kubernetesHandle<CronJob>('batch', 'CronJob', { columns: columns.CronJob });
export const Leases = kubernetesHandle<KubernetesLease>('coordination.k8s.io', 'Lease', { columns: columns.Lease });
export const EndpointSlices = kubernetesHandle<EndpointSlice>('discovery.k8s.io', 'EndpointSlice', { columns: columns.EndpointSlice });
export const Ingresses = kubernetesHandle<Ingress>('networking.k8s.io', 'Ingress', { columns: columns.Ingress });
export const PodDisruptionBudgets = kubernetesHandle<PodDisruptionBudget>('policy', 'PodDisruptionBudget', {
  columns: columns.PodDisruptionBudget,
});
export const PriorityClasses = kubernetesHandle<PriorityClass>('scheduling.k8s.io', 'PriorityClass', {
  columns: columns.PriorityClass,
  isShared: true,
});
