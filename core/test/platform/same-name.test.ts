import { defineKind, definePlugin, Type } from '@tappaas/sdk';
import { Release } from '@tappaas/sdk/kinds';
import { fakeCluster, load, startTestKernel } from '@tappaas/testing';
import test from 'ava';
import { renderedStatus } from './rendered-status.ts';

const renders = (kind: string) =>
  defineKind({
    group: `${kind.toLowerCase()}s.acme.dev`,
    kind,
    plural: `${kind.toLowerCase()}s`,
    version: 'v1alpha1',
    scope: 'Namespaced',
    description: 'A text on a cluster.',
    spec: Type.Object({ text: Type.String() }),
    status: renderedStatus,
  });
const Note = renders('Note');
const Page = renders('Page');
const Sheet = renders('Sheet');
const kinds = [Note, Page, Sheet];

const configMap = (name: string, namespace: string, text: string) => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, namespace },
  data: { text },
});

const texts = definePlugin({
  id: 'texts',
  permissions: { resources: kinds.map((kind) => ({ kind, verbs: ['get', 'list', 'watch', 'update'] as const })) },
  setup(host) {
    for (const kind of kinds) {
      host.kind(kind);
      host.controller({
        kind,
        render: ({ metadata, spec }, { cluster }) => [
          configMap(`${metadata.name}-${kind.kind.toLowerCase()}`, cluster.namespace, spec.text),
        ],
        summarize: () => ({ status: {}, conditions: [{ type: 'Ready', status: 'True', reason: 'There', message: 'it is there' }] }),
      });
    }
  },
});

test('objects of one name and of different kinds all have releases, and none takes that of another for its own', async (t) => {
  const kernel = await startTestKernel({ plugins: [load(texts), load(fakeCluster, {}, { id: 'east' })] });
  t.teardown(() => kernel.stop());
  const key = { namespace: 'default', name: 'shop' };
  const released = (kind: (typeof kinds)[number]) =>
    kernel.resources.get(kind, key).then((found) => [found?.status?.release, found?.metadata.uid]);
  const owner = async (name: unknown) => (await kernel.resources.get(Release, { namespace: 'default', name: String(name) }))?.spec.of.uid;
  await kernel.resources.create(Note, { metadata: key, spec: { text: 'first' } });
  await kernel.reconcileUntilSettled();
  for (const kind of [Page, Sheet]) await kernel.resources.create(kind, { metadata: key, spec: { text: 'first' } });
  await kernel.reconcileUntilSettled();
  await kernel.resources.patch(Note, key, { spec: { text: 'second' } });
  await kernel.reconcileUntilSettled();
  const found = await Promise.all(kinds.map((kind) => released(kind)));
  const [ofNote, ...ofOthers] = found.map(([release]) => String(release));
  t.is(ofNote, 'shop-4');
  t.deepEqual(new Set(ofOthers), new Set(['shop-2', 'shop-3']));
  for (const [release, uid] of found) t.is(await owner(release), uid);
});

test('objects whose long names begin alike all have releases', async (t) => {
  const kernel = await startTestKernel({ plugins: [load(texts), load(fakeCluster, {}, { id: 'east' })] });
  t.teardown(() => kernel.stop());
  const names = ['one', 'two'].map((ending) => `${'n'.repeat(242)}-${ending}`);
  for (const name of names) await kernel.resources.create(Note, { metadata: { namespace: 'default', name }, spec: { text: 'first' } });
  await kernel.reconcileUntilSettled();
  for (const name of names) {
    const { status } = (await kernel.resources.get(Note, { namespace: 'default', name })) ?? {};
    const release = await kernel.resources.get(Release, { namespace: 'default', name: String(status?.release) });
    t.is(release?.spec.of.name, name, JSON.stringify(status));
  }
});

test('an object whose long name has a dot or a hyphen where it is truncated has releases', async (t) => {
  const kernel = await startTestKernel({ plugins: [load(texts), load(fakeCluster, {}, { id: 'east' })] });
  t.teardown(() => kernel.stop());
  const names = ['.', '-'].map((last) => `${'n'.repeat(239)}${last}rest`);
  for (const name of names) await kernel.resources.create(Note, { metadata: { namespace: 'default', name }, spec: { text: 'first' } });
  await kernel.reconcileUntilSettled();
  for (const name of names) {
    const { status } = (await kernel.resources.get(Note, { namespace: 'default', name })) ?? {};
    const release = await kernel.resources.get(Release, { namespace: 'default', name: String(status?.release) });
    t.is(release?.spec.of.name, name, JSON.stringify(status));
  }
});
