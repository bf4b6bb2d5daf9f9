/** What stands in the store as a release although it was never rendered, and what is rendered to where it does not belong. */
import { Buffer } from 'node:buffer';
import {
  defineKind,
  definePlugin,
  hooks,
  secretCopiedFrom,
  secretCopiedVersion,
  Type,
  type KubernetesObject,
  type KubernetesSecret,
  type Permissions,
} from '@tappaas/sdk';
import { Release } from '@tappaas/sdk/kinds';
import { kubernetesHandle } from '@tappaas/sdk/kubernetes';
import { fakeCluster, load, startTestKernel, type TestKernel } from '@tappaas/testing';
import test from 'ava';
import { digestOf } from '../../dist/reconcile/canonical.js';
import { renderedStatus } from './rendered-status.ts';

const Secrets = kubernetesHandle<KubernetesSecret>('', 'Secret');
const ConfigMaps = kubernetesHandle<KubernetesObject>('', 'ConfigMap');
const Namespaces = kubernetesHandle<KubernetesObject>('', 'Namespace');

const Note = defineKind({
  group: 'notes.acme.dev',
  kind: 'Note',
  plural: 'notes',
  version: 'v1alpha1',
  scope: 'Namespaced',
  description: 'A text on a cluster.',
  spec: Type.Object({ text: Type.String(), pin: Type.Optional(Type.String()) }),
  status: renderedStatus,
});

const configMap = (name: string, namespace: string, text = 'forged') => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, namespace },
  data: { text },
});
const copyOf = (secret: string, version: string): KubernetesObject => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: {
    name: 'copy',
    namespace: 'tappaas-default',
    annotations: { [secretCopiedFrom]: secret, [secretCopiedVersion]: version },
  },
});
const clusterScoped: KubernetesObject = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'gift' } };

const notes = definePlugin({
  id: 'notes',
  permissions: { resources: [{ kind: Note, verbs: ['get', 'list', 'watch', 'update'] }] },
  setup(host) {
    host.kind(Note);
    host.controller({
      kind: Note,
      render: ({ metadata, spec }, { cluster }) => [configMap(metadata.name, cluster.namespace, spec.text)],
      summarize: () => ({ status: {}, conditions: [{ type: 'Ready', status: 'True', reason: 'There', message: 'it is there' }] }),
    });
  },
});

/** Adds an object to whatever is rendered. */
const adding = (object: KubernetesObject, permissions: Permissions = {}) =>
  definePlugin({
    id: 'adding',
    permissions,
    setup: (host) => host.tap(hooks.reconcile.render, { kinds: [Note], phase: 'policy' }, ({ set }) => set.add(object)),
  });

const key = { namespace: 'default', name: 'web' };

async function started(...more: Parameters<typeof load>[0][]) {
  const kernel = await startTestKernel({
    plugins: [load(notes), load(fakeCluster, {}, { id: 'east' }), ...more.map((plugin) => load(plugin))],
  });
  const cluster = kernel.resourcesOf('east');
  await kernel.resources.create(Namespaces, { metadata: { name: 'other' } });
  await kernel.resources.create(Note, { metadata: { namespace: 'other', name: 'theirs' }, spec: { text: 'theirs' } });
  const secret = await kernel.resources.create(Secrets, {
    metadata: { namespace: 'other', name: 'db' },
    data: { password: Buffer.from('canary').toString('base64') },
  });
  const uid = (await kernel.resources.create(Note, { metadata: key, spec: { text: 'mine' } })).metadata.uid ?? '';
  await settled(kernel);
  return { kernel, cluster, uid, version: secret.metadata.resourceVersion ?? '' };
}

/** An apply that is refused is tried again, so controllers may never come to rest. */
async function settled(kernel: TestKernel): Promise<void> {
  await kernel.reconcileUntilSettled().catch(() => {});
}

const messages = async (kernel: TestKernel): Promise<string> => JSON.stringify((await kernel.resources.get(Note, key))?.status?.conditions);

function forged(uid: string, object: KubernetesObject, digest = digestOf({ cluster: 'east', objects: [object] })) {
  const of = { group: Note.group, kind: Note.kind, name: key.name, uid };
  const spec = { of, number: 7, digest, cluster: 'east', generation: 1, images: {}, objects: [object], plugins: {} };
  return { metadata: { namespace: 'default', name: 'forged' }, spec } as never;
}

async function pinnedTo(kernel: TestKernel, release: never): Promise<void> {
  await kernel.resources.create(Release, release);
  await kernel.resources.patch(Note, key, { spec: { pin: 'forged' } });
  await settled(kernel);
}

test('a release that copies a Secret of another namespace brings none of its values to a cluster', async (t) => {
  const { kernel, cluster, uid, version } = await started();
  await using _ = kernel;
  await pinnedTo(kernel, forged(uid, copyOf('other/db', version)));
  t.is(await cluster.get(Secrets, { namespace: 'tappaas-default', name: 'copy' }), undefined);
  t.regex(
    await messages(kernel),
    /Secret copy is to be copied from other\/db, and what is rendered for namespace default is given Secrets/,
  );
});

test('a release with objects in another namespace of the cluster, or in none, brings none of them there', async (t) => {
  for (const object of [configMap('theirs', 'tappaas-other'), configMap('planted', 'tappaas-other'), clusterScoped]) {
    const { kernel, cluster, uid } = await started();
    await using _ = kernel;
    const before = await cluster.get(Namespaces, { name: 'tappaas-other' });
    await pinnedTo(kernel, forged(uid, object));
    t.is(await cluster.get(ConfigMaps, { namespace: 'tappaas-other', name: 'planted' }), undefined);
    t.like(await cluster.get(ConfigMaps, { namespace: 'tappaas-other', name: 'theirs' }), { data: { text: 'theirs' } });
    t.is(await cluster.get(Namespaces, { name: 'gift' }), undefined);
    t.deepEqual(await cluster.get(Namespaces, { name: 'tappaas-other' }), before);
    t.notRegex(await messages(kernel), /"type":"Ready","status":"True"/);
  }
});

test('a release whose digest is not that of its objects counts as none', async (t) => {
  const { kernel, cluster, uid } = await started();
  await using _ = kernel;
  await pinnedTo(kernel, forged(uid, configMap('web', 'tappaas-default'), digestOf('something else')));
  t.like(await cluster.get(ConfigMaps, { namespace: 'tappaas-default', name: 'web' }), { data: { text: 'mine' } });
  t.regex(await messages(kernel), /ReleaseUnknown/);
});

test('a release that claims to be what will be rendered next does not take its place', async (t) => {
  const { kernel, cluster, uid } = await started();
  await using _ = kernel;
  const digest = digestOf({ cluster: 'east', objects: [configMap('web', 'tappaas-default', 'next')] });
  await kernel.resources.create(Release, forged(uid, configMap('web', 'tappaas-default'), digest));
  await kernel.resources.patch(Note, key, { spec: { text: 'next' } });
  await settled(kernel);
  t.like(await cluster.get(ConfigMaps, { namespace: 'tappaas-default', name: 'web' }), { data: { text: 'next' } });
});

test('a plugin that renders a copy of another namespace’s Secret is refused it, and no release is stored', async (t) => {
  const { kernel, cluster } = await started(adding(copyOf('other/db', '1')));
  await using _ = kernel;
  t.is(await cluster.get(Secrets, { namespace: 'tappaas-default', name: 'copy' }), undefined);
  t.is(await kernel.resources.get(Release, { namespace: 'default', name: 'web-1' }), undefined);
  t.regex(
    await messages(kernel),
    /Secret copy is to be copied from other\/db, and what is rendered for namespace default is given Secrets/,
  );
});

test('a plugin renders objects outside of the namespace if its permissions name them, and not otherwise', async (t) => {
  const cases: readonly (readonly [KubernetesObject, Permissions, boolean])[] = [
    [clusterScoped, {}, false],
    [clusterScoped, { cluster: [{ apiGroups: ['apps'], resources: ['namespaces'], verbs: ['create'] }] }, false],
    [clusterScoped, { cluster: [{ apiGroups: [''], resources: ['configmaps'], verbs: ['create'] }] }, false],
    [clusterScoped, { cluster: [{ apiGroups: [''], resources: ['namespaces'], verbs: ['get', 'list'] }] }, false],
    [clusterScoped, { cluster: [{ apiGroups: [''], resources: ['namespaces'], verbs: ['create'] }] }, true],
    [clusterScoped, { cluster: [{ apiGroups: ['*'], resources: ['*'], verbs: ['*'] }] }, true],
  ];
  for (const [object, permissions, isBrought] of cases) {
    const { kernel, cluster } = await started(adding(object, permissions));
    await using _ = kernel;
    const found = await cluster.get(Namespaces, { name: 'gift' });
    t.is(found !== undefined, isBrought, JSON.stringify(permissions));
    if (!isBrought) {
      t.regex(
        await messages(kernel),
        /Namespace gift: it lies outside of namespace tappaas-default, and no .* \\"cluster: create \/namespaces\\"/,
      );
    }
  }
});
