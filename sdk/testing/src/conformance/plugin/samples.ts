import type { AnyKind, KubernetesObject } from '@tappaas/sdk';
import { Application, Build, Operation, Release, Tenant } from '@tappaas/sdk/kinds';
import { kubernetesHandle } from '@tappaas/sdk/kubernetes';
import type { SampleObject } from './harness.js';

const namespace = 'default';
const digest = `sha256:${'0'.repeat(64)}`;

/** Labels unique to one sample, so that no sample selects the pods of another. */
const labelled = (app: string) => ({ matchLabels: { app } });
const template = (app: string, restartPolicy: 'Always' | 'Never' = 'Always') => ({
  metadata: { labels: { app } },
  spec: { restartPolicy, containers: [{ name: 'main', image: 'example/app:1', ports: [{ name: 'http', containerPort: 8080 }] }] },
});

const kubernetes = (group: string, kind: string, object: SampleObject['object']): SampleObject => ({
  kind: kubernetesHandle<KubernetesObject>(group, kind),
  object,
});
const platform = (kind: AnyKind, object: SampleObject['object']): SampleObject => ({ kind, object });

const application = {
  source: { image: 'example/shop:1' },
  runtime: 'standard',
  processes: [{ name: 'web', replicas: 2, ports: [{ name: 'http', port: 8080 }] }],
  routes: [{ name: 'main', path: '/', process: 'web', port: 'http' }],
};

/** One simple object of each platform and Kubernetes kind that plugins commonly handle. */
export const samples: readonly SampleObject[] = Object.freeze([
  platform(Application, { namespace, name: 'sample-application', spec: application }),
  platform(Build, { namespace, name: 'sample-build', spec: { application: 'sample', builder: 'source', source: { digest } } }),
  platform(Operation, {
    namespace,
    name: 'sample-operation',
    spec: { verb: 'deploy', target: { group: 'apps.tappaas.dev', kind: 'Application', name: 'sample', uid: 'sample' } },
  }),
  platform(Release, {
    namespace,
    name: 'sample-release',
    spec: {
      of: { group: 'apps.tappaas.dev', kind: 'Application', name: 'sample', uid: 'sample' },
      number: 1,
      digest,
      cluster: 'sample',
      generation: 1,
      images: {},
      objects: [],
      plugins: {},
    },
  }),
  platform(Tenant, { name: 'sample-tenant', spec: { displayName: 'Sample' } }),
  kubernetes('', 'ConfigMap', { namespace, name: 'sample-config', data: { key: 'value' } }),
  kubernetes('', 'Secret', { namespace, name: 'sample-secret', type: 'Opaque', data: { key: 'dmFsdWU=' } }),
  kubernetes('', 'ServiceAccount', { namespace, name: 'sample-account' }),
  kubernetes('', 'Namespace', { name: 'sample-namespace' }),
  kubernetes('', 'Node', { name: 'sample-node' }),
  kubernetes('', 'Pod', { namespace, name: 'sample-pod', spec: template('sample-pod').spec }),
  kubernetes('', 'Service', {
    namespace,
    name: 'sample-service',
    spec: { selector: { app: 'sample-deployment' }, ports: [{ name: 'http', port: 80, targetPort: 8080 }] },
  }),
  kubernetes('', 'PersistentVolumeClaim', {
    namespace,
    name: 'sample-claim',
    spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
  }),
  kubernetes('apps', 'Deployment', {
    namespace,
    name: 'sample-deployment',
    spec: { replicas: 2, selector: labelled('sample-deployment'), template: template('sample-deployment') },
  }),
  kubernetes('apps', 'ReplicaSet', {
    namespace,
    name: 'sample-replicas',
    spec: { replicas: 2, selector: labelled('sample-replicas'), template: template('sample-replicas') },
  }),
  kubernetes('apps', 'StatefulSet', {
    namespace,
    name: 'sample-stateful',
    spec: { replicas: 2, serviceName: 'sample-service', selector: labelled('sample-stateful'), template: template('sample-stateful') },
  }),
  kubernetes('apps', 'DaemonSet', {
    namespace,
    name: 'sample-daemon',
    spec: { selector: labelled('sample-daemon'), template: template('sample-daemon') },
  }),
  kubernetes('batch', 'CronJob', {
    namespace,
    name: 'sample-cron',
    spec: { schedule: '0 0 1 1 *', jobTemplate: { spec: { template: template('sample-cron', 'Never') } } },
  }),
  kubernetes('batch', 'Job', { namespace, name: 'sample-job', spec: { template: template('sample-job', 'Never') } }),
  kubernetes('networking.k8s.io', 'Ingress', {
    namespace,
    name: 'sample-ingress',
    spec: { defaultBackend: { service: { name: 'sample-service', port: { name: 'http' } } } },
  }),
]);

/** `<group>/<kind>`, the form of kind names in manifests. */
export const kindName = ({ group, kind }: AnyKind): string => `${group}/${kind}`;
