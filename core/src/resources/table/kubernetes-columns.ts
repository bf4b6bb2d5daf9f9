import { bindingColumns, createdColumns } from './access-columns.js';
import {
  configMapColumns,
  eventColumns,
  leaseColumns,
  namespaceColumns,
  nodeColumns,
  priorityClassColumns,
  resourceQuotaColumns,
  secretColumns,
  serviceAccountColumns,
} from './cluster-columns.js';
import { endpointSliceColumns, ingressClassColumns, ingressColumns, networkPolicyColumns, serviceColumns } from './network-columns.js';
import { podColumns } from './pod-columns.js';
import { storageClassColumns, volumeClaimColumns, volumeColumns } from './storage-columns.js';
import type { TableColumn } from './table-column.js';
import {
  autoscalerColumns,
  controllerRevisionColumns,
  cronJobColumns,
  daemonSetColumns,
  deploymentColumns,
  disruptionBudgetColumns,
  jobColumns,
  replicaSetColumns,
  statefulSetColumns,
} from './workload-columns.js';

/** The columns that kubectl users know for each Kubernetes kind, by group and kind. */
const columns: Readonly<Record<string, readonly TableColumn[]>> = {
  '/ConfigMap': configMapColumns,
  '/Event': eventColumns,
  '/LimitRange': createdColumns,
  '/Namespace': namespaceColumns,
  '/Node': nodeColumns,
  '/PersistentVolume': volumeColumns,
  '/PersistentVolumeClaim': volumeClaimColumns,
  '/Pod': podColumns,
  '/ResourceQuota': resourceQuotaColumns,
  '/Secret': secretColumns,
  '/Service': serviceColumns,
  '/ServiceAccount': serviceAccountColumns,
  'apps/ControllerRevision': controllerRevisionColumns,
  'apps/DaemonSet': daemonSetColumns,
  'apps/Deployment': deploymentColumns,
  'apps/ReplicaSet': replicaSetColumns,
  'apps/StatefulSet': statefulSetColumns,
  'autoscaling/HorizontalPodAutoscaler': autoscalerColumns,
  'batch/CronJob': cronJobColumns,
  'batch/Job': jobColumns,
  'coordination.k8s.io/Lease': leaseColumns,
  'discovery.k8s.io/EndpointSlice': endpointSliceColumns,
  'events.k8s.io/Event': eventColumns,
  'networking.k8s.io/Ingress': ingressColumns,
  'networking.k8s.io/IngressClass': ingressClassColumns,
  'networking.k8s.io/NetworkPolicy': networkPolicyColumns,
  'policy/PodDisruptionBudget': disruptionBudgetColumns,
  'rbac.authorization.k8s.io/ClusterRole': createdColumns,
  'rbac.authorization.k8s.io/ClusterRoleBinding': bindingColumns,
  'rbac.authorization.k8s.io/Role': createdColumns,
  'rbac.authorization.k8s.io/RoleBinding': bindingColumns,
  'scheduling.k8s.io/PriorityClass': priorityClassColumns,
  'storage.k8s.io/StorageClass': storageClassColumns,
};

/** Returns the columns of a Kubernetes kind; undefined if it has none of its own. */
export function kubernetesColumns(kind: { readonly group: string; readonly kind: string }): readonly TableColumn[] | undefined {
  const name = `${kind.group}/${kind.kind}`;
  return Object.hasOwn(columns, name) ? columns[name] : undefined;
}
