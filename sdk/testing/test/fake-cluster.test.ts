import test from 'ava';
import { defineKind, definePlugin, hooks, Type, type Deployment } from '@tappaas/sdk';
import { Release } from '@tappaas/sdk/kinds';
import { kubernetesHandle } from '@tappaas/sdk/kubernetes';
import { fakeCluster, load, startTestKernel } from '@tappaas/testing';

const Deployments = kubernetesHandle<Deployment>('apps', 'Deployment');

const Cache = defineKind({
  group: 'caches.acme.dev',
  kind: 'Cache',
  plural: 'caches',
  version: 'v1alpha1',
  scope: 'Namespaced',
  description: 'A cache.',
  spec: Type.Object({ replicas: Type.Integer({ minimum: 1, default: 1 }) }),
  status: Type.Object({
    release: Type.Optional(Type.String()),
    operation: Type.Optional(Type.String()),
    ready: Type.Optional(Type.Integer()),
    observedGeneration: Type.Optional(Type.Integer()),
    conditions: Type.Optional(Type.Array(Type.Unknown())),
  }),
});

/** Renders each Cache to one Deployment, and reports how many of its replicas are ready. */
const caches = definePlugin({
  id: 'caches',
  permissions: { resources: [{ kind: Cache, verbs: ['get', 'list', 'watch', 'update'] }] },
  setup(host) {
    host.kind(Cache);
    host.controller({
      kind: Cache,
      render: ({ metadata, spec }, { cluster }) => [
        {
          apiVersion: 'apps/v1',
          kind: 'Deployment',
          metadata: { name: metadata.name, namespace: cluster.namespace },
          spec: {
            replicas: spec.replicas,
            selector: { matchLabels: { cache: metadata.name } },
            template: { metadata: { labels: { cache: metadata.name } }, spec: { containers: [{ name: 'cache', image: 'cache:1' }] } },
          },
        },
      ],
      summarize({ observed }) {
        const deployment = observed.find(({ kind }) => kind === 'Deployment') as Deployment | undefined;
        const ready = deployment?.status?.readyReplicas ?? 0;
        const status = ready > 0 ? 'True' : 'False';
        return { status: { ready }, conditions: [{ type: 'Ready', status, reason: 'Counted', message: `${ready} replicas are ready` }] };
      },
    });
  },
});

const key = { namespace: 'default', name: 'sessions' };
const deployed = { namespace: 'tappaas-default', name: 'sessions' };
const plugins = () => [load(caches), load(fakeCluster, {}, { id: 'east' })];

test('what a controller renders is applied to the cluster, follows the object, and is pruned with it', async (t) => {
  await using kernel = await startTestKernel({ plugins: plugins() });
  const cluster = kernel.resourcesOf('east');
  await kernel.resources.create(Cache, { metadata: key, spec: { replicas: 2 } });
  await kernel.reconcileUntilSettled();
  t.is((await cluster.get(Deployments, deployed))?.spec?.replicas, 2);
  await kernel.resources.patch(Cache, key, { spec: { replicas: 5 } });
  await kernel.reconcileUntilSettled();
  t.is((await cluster.get(Deployments, deployed))?.spec?.replicas, 5);
  await kernel.resources.delete(Cache, key);
  await kernel.reconcileUntilSettled();
  await kernel.advance(1_000);
  await kernel.reconcileUntilSettled();
  t.is(await cluster.get(Deployments, deployed), undefined);
  t.is(await kernel.resources.get(Cache, key), undefined);
});

test('what the cluster says about its objects reaches the status', async (t) => {
  await using kernel = await startTestKernel({ plugins: plugins() });
  await kernel.resources.create(Cache, { metadata: key, spec: { replicas: 2 } });
  await kernel.reconcileUntilSettled();
  t.is((await kernel.resources.get(Cache, key))?.status?.ready, 0);
  const status = { replicas: 2, readyReplicas: 2, observedGeneration: 1 };
  await kernel.resourcesOf('east').patch(Deployments, deployed, { status }, { subresource: 'status' });
  await kernel.reconcileUntilSettled();
  t.is((await kernel.resources.get(Cache, key))?.status?.ready, 2);
});

test('drift on the cluster is mended', async (t) => {
  await using kernel = await startTestKernel({ plugins: plugins() });
  const cluster = kernel.resourcesOf('east');
  await kernel.resources.create(Cache, { metadata: key, spec: { replicas: 2 } });
  await kernel.reconcileUntilSettled();
  await cluster.patch(Deployments, deployed, { spec: { replicas: 0 } });
  await kernel.reconcileUntilSettled();
  t.is((await cluster.get(Deployments, deployed))?.spec?.replicas, 2);
});

test('render shows the same objects without a cluster', async (t) => {
  await using kernel = await startTestKernel({ plugins: [load(caches)] });
  const set = [...(await kernel.render(Cache, { ...key, spec: { replicas: 3 } }))];
  t.deepEqual(
    set.map(({ kind, metadata }) => [kind, metadata.name]),
    [['Deployment', 'sessions']],
  );
});

const labelling = definePlugin({
  id: 'labelling',
  setup(host) {
    host.tap(hooks.reconcile.render, { kinds: [Cache], phase: 'policy' }, ({ set }) =>
      set.changePodTemplates((draft) => {
        draft.metadata = { ...draft.metadata, labels: { ...draft.metadata?.labels, owner: 'acme' } };
      }),
    );
  },
});
const ownerOf = (object: unknown) => (object as Deployment | undefined)?.spec?.template?.metadata?.labels?.['owner'];

test('a render tap shapes what is applied, and the release names its plugin', async (t) => {
  await using kernel = await startTestKernel({ plugins: [...plugins(), load(labelling)] });
  await kernel.resources.create(Cache, { metadata: key, spec: { replicas: 2 } });
  await kernel.reconcileUntilSettled();
  t.is(ownerOf(await kernel.resourcesOf('east').get(Deployments, deployed)), 'acme');
  const release = await kernel.resources.get(Release, { namespace: 'default', name: 'sessions-1' });
  t.deepEqual(Object.keys(release?.spec.plugins ?? {}), ['caches', 'labelling']);
});

test('a render tap shapes what the controller renders, or base objects where there is none', async (t) => {
  await using both = await startTestKernel({ plugins: [load(caches), load(labelling)] });
  t.is(ownerOf([...(await both.render(Cache, { ...key, spec: { replicas: 1 } }))][0]), 'acme');
  await using alone = await startTestKernel({ plugins: [load(labelling)] });
  const base = [
    {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'base' },
      spec: { template: { spec: { containers: [{ name: 'a', image: 'a' }] } } },
    },
  ];
  t.is(ownerOf([...(await alone.render(Cache, { ...key, spec: { replicas: 1 } }, { base }))][0]), 'acme');
});
