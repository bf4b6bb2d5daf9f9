import { defineKind, definePlugin, Type, type KubernetesObject } from '@tappaas/sdk';
import { kubernetesHandle } from '@tappaas/sdk/kubernetes';
import { fakeCluster, load, startTestKernel, type TestKernel } from '@tappaas/testing';
import test from 'ava';
import { namesOnCluster } from '../../dist/platform/clusters/cluster-namespaces.js';
import { renderedStatus } from './rendered-status.ts';

const template = 'tappaas-{namespace}';
const ConfigMaps = kubernetesHandle<KubernetesObject>('', 'ConfigMap');
const Namespaces = kubernetesHandle<KubernetesObject>('', 'Namespace');

const Note = defineKind({
  group: 'notes.acme.dev',
  kind: 'Note',
  plural: 'notes',
  version: 'v1alpha1',
  scope: 'Namespaced',
  description: 'A text on a cluster.',
  spec: Type.Object({}),
  status: renderedStatus,
});

const notes = definePlugin({
  id: 'notes',
  permissions: { resources: [{ kind: Note, verbs: ['get', 'list', 'watch', 'update'] }] },
  setup(host) {
    host.kind(Note);
    host.controller({
      kind: Note,
      render: ({ metadata }, { cluster }) => [
        { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: metadata.name, namespace: cluster.namespace } },
      ],
      summarize: () => ({ status: {}, conditions: [{ type: 'Ready', status: 'True', reason: 'There', message: 'it is there' }] }),
    });
  },
});

async function rendered(kernel: TestKernel, namespace: string): Promise<void> {
  if (namespace !== 'default') await kernel.resources.create(Namespaces, { metadata: { name: namespace } });
  await kernel.resources.create(Note, { metadata: { namespace, name: 'web' }, spec: {} });
  await kernel.reconcileUntilSettled();
}

test('what is rendered goes on in the namespace that a cluster has under its earlier name, and otherwise comes into one with a longer hash', async (t) => {
  await using kernel = await startTestKernel({ plugins: [load(notes), load(fakeCluster, {}, { id: 'east' })] });
  const cluster = kernel.resourcesOf('east');
  await rendered(kernel, 'default');
  const labels = (await cluster.get(Namespaces, { name: 'tappaas-default' }))?.metadata.labels ?? {};
  const [old, young] = ['old', 'young'].map((word) => `${word}-${'n'.repeat(55)}`) as [string, string];
  const { name: after, earlier: before = '' } = namesOnCluster(template, old);
  await cluster.create(Namespaces, { metadata: { name: before, labels: { ...labels, 'tappaas.dev/namespace': old } } });
  for (const namespace of [old, young]) await rendered(kernel, namespace);
  const { name, earlier = '' } = namesOnCluster(template, young);
  const isIn = async (namespace: string): Promise<boolean> => (await cluster.get(ConfigMaps, { namespace, name: 'web' })) !== undefined;
  t.deepEqual(await Promise.all([before, after, name, earlier].map((each) => isIn(each))), [true, false, true, false]);
  t.like(await cluster.get(Namespaces, { name }), { metadata: { labels: { 'tappaas.dev/namespace': young } } });
});
