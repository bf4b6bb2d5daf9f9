import {
  administratorsGroup,
  type AnyKind,
  type Cluster,
  definePlugin,
  engineKind,
  families,
  type KubernetesObject,
  Type,
} from '@tappaas/sdk';
import { kubernetesHandle } from '@tappaas/sdk/kubernetes';

const handle = (group: string, kind: string): AnyKind => kubernetesHandle<KubernetesObject>(group, kind);

/** The kinds that applications render to, and those around them. */
const kinds = [
  ...['Namespace', 'Node', 'Pod', 'Service', 'ConfigMap', 'Secret', 'ServiceAccount', 'Event', 'PersistentVolumeClaim'].map((kind) =>
    handle('', kind),
  ),
  ...['Deployment', 'ReplicaSet', 'StatefulSet', 'DaemonSet'].map((kind) => handle('apps', kind)),
  ...['Job', 'CronJob'].map((kind) => handle('batch', kind)),
  ...['Ingress', 'NetworkPolicy'].map((kind) => handle('networking.k8s.io', kind)),
  handle('autoscaling', 'HorizontalPodAutoscaler'),
  handle('policy', 'PodDisruptionBudget'),
];

const capability = Type.Union(['containers', 'gpu', 'gateway-api', 'snapshots', 'mesh'].map((name) => Type.Literal(name as 'containers')));

const config = Type.Object({
  capabilities: Type.Array(capability, { default: ['containers'], description: 'What the cluster can.' }),
});

/**
 * An in-memory cluster with the Kubernetes API of the platform's own engine. Applied objects can be read with
 * `kernel.resourcesOf(instance)`, in namespaces named `tappaas-…`. No controllers run: a test writes the status of objects itself.
 */
export const fakeCluster = definePlugin({
  id: 'fake-cluster',
  config,
  example: {},
  setup(host, { capabilities }) {
    const description = 'A cluster in memory on which nothing runs.';
    const engine = host.engine({ name: host.id, description, kinds: kinds.map((kind) => engineKind(kind)) });
    const cluster: Cluster = {
      description,
      profiles: ['workloads', 'batch', 'config'],
      capabilities,
      scheduling: 'advise',
      namespaceTemplate: 'tappaas-{namespace}',
      ingress: { scheme: 'http', hostSuffix: 'localhost', port: 8080 },
      connection: () => engine.connection({ name: 'system:tappaas', groups: [administratorsGroup] }),
    };
    host.provide(families.cluster, () => cluster);
  },
});
