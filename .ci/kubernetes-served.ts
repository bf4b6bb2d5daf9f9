/**
 * The Kubernetes kinds that the project has types and schemas for, with what a kube-apiserver's OpenAPI documents do not say:
 * short names, categories and a sentence for `kubectl explain`. Everything else about them is read from the documents.
 */
export interface ServedKind {
  readonly schema: string;
  readonly description: string;
  readonly shortNames?: readonly string[];
  readonly categories?: readonly string[];
}

const all = ['all'];
const served = (
  schema: string,
  description: string,
  shortNames: readonly string[] = [],
  categories: readonly string[] = [],
): ServedKind => ({
  schema: `io.k8s.api.${schema}`,
  description,
  shortNames,
  categories,
});

/** Kinds with a collection of their own; the order is the order of the generated files. */
export const servedKinds: readonly ServedKind[] = [
  served('core.v1.ConfigMap', 'Configuration data that pods read as files or environment variables.', ['cm']),
  served('core.v1.Event', 'Something that happened to an object, kept for a limited time.', ['ev']),
  served('core.v1.LimitRange', 'Default, smallest and largest resource amounts for the objects of a namespace.', ['limits']),
  served('core.v1.Namespace', 'A scope for names, access and quota.', ['ns']),
  served('core.v1.Node', 'A machine that runs pods: what it offers and how it is.', ['no']),
  served('core.v1.PersistentVolume', 'A piece of storage in the cluster, independent of any pod.', ['pv']),
  served('core.v1.PersistentVolumeClaim', 'A request for storage by the pods of a namespace.', ['pvc']),
  served('core.v1.Pod', 'Containers that run together on one node and share its fate.', ['po'], all),
  served('core.v1.ResourceQuota', 'An upper bound for what a namespace may use in total.', ['quota']),
  served('core.v1.Secret', 'Confidential data that pods read as files or environment variables.'),
  served('core.v1.Service', 'A stable address for the pods that a selector chooses.', ['svc'], all),
  served('core.v1.ServiceAccount', 'An identity for the processes of a namespace.', ['sa']),
  served('apps.v1.ControllerRevision', 'An immutable copy of the state of a workload, used for its history.'),
  served('apps.v1.DaemonSet', 'One pod on every matching node.', ['ds'], all),
  served('apps.v1.Deployment', 'Identical pods that are replaced gradually when their template changes.', ['deploy'], all),
  served('apps.v1.ReplicaSet', 'A number of identical pods.', ['rs'], all),
  served('apps.v1.StatefulSet', 'Pods with a stable name, order and storage.', ['sts'], all),
  served('authentication.v1.SelfSubjectReview', 'Answers who the caller is.'),
  served('authentication.v1.TokenReview', 'Answers whose token this is.'),
  served('authorization.v1.LocalSubjectAccessReview', 'Answers whether somebody may do something in one namespace.'),
  served('authorization.v1.SelfSubjectAccessReview', 'Answers whether the caller may do something.'),
  served('authorization.v1.SelfSubjectRulesReview', 'Answers what the caller may do in a namespace.'),
  served('authorization.v1.SubjectAccessReview', 'Answers whether somebody may do something.'),
  served('autoscaling.v2.HorizontalPodAutoscaler', 'Changes the replicas of a workload to hold its metrics at a target.', ['hpa'], all),
  served('batch.v1.CronJob', 'Creates a job at the times of a schedule.', ['cj'], all),
  served('batch.v1.Job', 'Runs pods until enough of them have succeeded.', [], all),
  served('coordination.v1.Lease', 'A claim that is held for a limited time, as leader election uses it.'),
  served('discovery.v1.EndpointSlice', 'A part of the addresses behind a service.'),
  served('events.v1.Event', 'Something that happened to an object, in the newer form of the events group.', ['ev']),
  served('networking.v1.Ingress', 'Routes HTTP requests from outside to services by host and path.', ['ing']),
  served('networking.v1.IngressClass', 'Names the controller that implements an ingress.'),
  served('networking.v1.NetworkPolicy', 'Which traffic pods may receive and send.', ['netpol']),
  served('policy.v1.PodDisruptionBudget', 'How many pods of a workload may be disturbed at a time.', ['pdb']),
  served('rbac.v1.ClusterRole', 'Rules that may be granted in one namespace or everywhere.'),
  served('rbac.v1.ClusterRoleBinding', 'Grants a cluster role everywhere.'),
  served('rbac.v1.Role', 'Rules that may be granted in one namespace.'),
  served('rbac.v1.RoleBinding', 'Grants a role in one namespace.'),
  served('scheduling.v1.PriorityClass', 'A named priority for pods that wait for a place.', ['pc']),
  served('storage.v1.StorageClass', 'A way in which volumes are made, that claims can ask for.', ['sc']),
];

/** Schemas without a collection: bodies of subresources, and what every answer and delete is made of. */
export const servedBodies: readonly ServedKind[] = [
  served('core.v1.Binding', 'Assigns a pod to a node.'),
  served('authentication.v1.TokenRequest', 'Asks for a token of a service account.'),
  served('autoscaling.v1.Scale', 'The replicas of a workload, wished and running.'),
  served('policy.v1.Eviction', 'Asks to remove a pod as far as disruption budgets allow it.'),
  { schema: 'io.k8s.apimachinery.pkg.apis.meta.v1.DeleteOptions', description: 'How an object is to be deleted.' },
  { schema: 'io.k8s.apimachinery.pkg.apis.meta.v1.Status', description: 'The outcome of a request that answers with no object.' },
  { schema: 'io.k8s.apimachinery.pkg.apis.meta.v1.ListMeta', description: 'Metadata of a list.' },
];

/** Short names that the SDK or another schema already uses for something else. */
export const renamed: Readonly<Record<string, string>> = {
  'io.k8s.api.core.v1.PodTemplateSpec': 'PodTemplate',
  'io.k8s.api.core.v1.Secret': 'KubernetesSecret',
  'io.k8s.api.core.v1.Service': 'KubernetesService',
  'io.k8s.api.coordination.v1.Lease': 'KubernetesLease',
  'io.k8s.api.storage.v1.StorageClass': 'KubernetesStorageClass',
  'io.k8s.apimachinery.pkg.apis.meta.v1.Condition': 'KubernetesCondition',
  'io.k8s.apimachinery.pkg.apis.meta.v1.Preconditions': 'KubernetesPreconditions',
  'io.k8s.apimachinery.pkg.apis.meta.v1.Status': 'KubernetesStatus',
  'io.k8s.api.events.v1.Event': 'EventsEvent',
  'io.k8s.api.events.v1.EventSeries': 'EventsEventSeries',
};

/** Keyed lists in which kube-apiserver tolerates two items of one key (it warns), so that nothing is refused here that works there. */
export const toleratesDuplicates: Readonly<Record<string, readonly string[]>> = {
  'io.k8s.api.core.v1.Container': ['env', 'ports'],
  'io.k8s.api.core.v1.EphemeralContainer': ['env', 'ports'],
  'io.k8s.api.core.v1.PodSpec': ['hostAliases', 'imagePullSecrets'],
  'io.k8s.api.core.v1.ServiceAccount': ['secrets'],
};
