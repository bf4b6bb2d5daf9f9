import { Buffer } from 'node:buffer';
import test from 'ava';
import {
  defineKind,
  definePlugin,
  hooks,
  secretCopiedFrom,
  secretCopiedVersion,
  Type,
  type KubernetesSecret,
  type SecretAccess,
} from '@tappaas/sdk';
import { Release } from '@tappaas/sdk/kinds';
import { kubernetesHandle } from '@tappaas/sdk/kubernetes';
import { fakeCluster, load, startTestKernel } from '@tappaas/testing';

const Secrets = kubernetesHandle<KubernetesSecret>('', 'Secret');

const Reader = defineKind({
  group: 'readers.acme.dev',
  kind: 'Reader',
  plural: 'readers',
  version: 'v1alpha1',
  scope: 'Namespaced',
  description: 'Something that uses a Secret.',
  spec: Type.Object({ secret: Type.String() }),
  status: Type.Object({
    release: Type.Optional(Type.String()),
    operation: Type.Optional(Type.String()),
    observedGeneration: Type.Optional(Type.Integer()),
    conditions: Type.Optional(Type.Array(Type.Unknown())),
  }),
});

/** Renders each Reader to a copy of its Secret, by reference. */
const readers = definePlugin({
  id: 'readers',
  permissions: {
    resources: [
      { kind: Reader, verbs: ['get', 'list', 'watch', 'update'] },
      { kind: Secrets, verbs: ['get', 'list', 'watch'] },
    ],
  },
  setup(host) {
    host.kind(Reader);
    host.controller({
      kind: Reader,
      watches: [{ kind: Secrets, wakes: 'namespace' }],
      async prepare({ metadata, spec }, { asPlugin }) {
        const secret = await asPlugin.get(Secrets, { namespace: metadata.namespace ?? '', name: spec.secret });
        return { ready: true, inputs: { version: secret?.metadata.resourceVersion ?? '' } };
      },
      render: ({ metadata, spec }, { cluster, inputs }) => [
        {
          apiVersion: 'v1',
          kind: 'Secret',
          metadata: {
            name: `${spec.secret}-${inputs['version'] ?? ''}`,
            namespace: cluster.namespace,
            annotations: { [secretCopiedFrom]: `${metadata.namespace}/${spec.secret}`, [secretCopiedVersion]: inputs['version'] ?? '' },
          },
        },
      ],
      summarize: () => ({ status: {}, conditions: [{ type: 'Ready', status: 'True', reason: 'There', message: 'it is there' }] }),
    });
  },
});

/** Records every access, and fails while `fails` is set. */
function observer() {
  const accesses: SecretAccess[] = [];
  const state = { fails: false };
  const plugin = definePlugin({
    id: 'observer',
    setup(host) {
      host.tap(hooks.secrets.accessed, { stores: ['platform'] }, (access) => {
        if (state.fails) return Promise.reject(new Error('the record is full'));
        accesses.push(access);
        return Promise.resolve();
      });
    },
  });
  return { accesses, state, plugin };
}

const key = { namespace: 'default', name: 'reader' };
const dataOf = (text: string) => ({ token: Buffer.from(text).toString('base64') });

async function startReader(plugin: ReturnType<typeof observer>['plugin']) {
  const kernel = await startTestKernel({ plugins: [load(readers), load(fakeCluster, {}, { id: 'east' }), load(plugin)] });
  const secret = await kernel.resources.create(Secrets, { metadata: { namespace: 'default', name: 'token' }, data: dataOf('one') });
  await kernel.resources.create(Reader, { metadata: key, spec: { secret: 'token' } });
  const copies = async () => {
    const found: string[] = [];
    for await (const { data } of kernel.resourcesOf('east').list(Secrets, { namespace: 'tappaas-default', itemsMax: 10 }))
      if (data?.['token'] !== undefined) found.push(Buffer.from(data['token'], 'base64').toString());
    return found;
  };
  return { kernel, version: secret.metadata.resourceVersion ?? '', copies };
}

test('a secret that a release uses is told before it is kept and before it is brought to its cluster', async (t) => {
  const { accesses, plugin } = observer();
  const { kernel, version, copies } = await startReader(plugin);
  await using _ = kernel;
  await kernel.reconcileUntilSettled();
  t.deepEqual(await copies(), ['one']);
  const access = (purpose: string) => ({
    ref: { store: 'platform', path: 'default/token' },
    version,
    caller: { name: 'system:plugin:readers', groups: [] },
    purpose,
  });
  t.deepEqual(accesses, [
    access('kept for a release of Reader default/reader'),
    access('brought to cluster east for Reader default/reader'),
  ]);
  t.false(JSON.stringify(accesses).includes(dataOf('one').token));
});

test('a tap that fails withholds the secret, and what serves goes on serving', async (t) => {
  const { state, plugin } = observer();
  const { kernel, copies } = await startReader(plugin);
  await using _ = kernel;
  await kernel.reconcileUntilSettled();
  state.fails = true;
  await kernel.resources.patch(Secrets, { namespace: 'default', name: 'token' }, { data: dataOf('two') });
  await t.throwsAsync(kernel.reconcileUntilSettled());
  t.deepEqual(await copies(), ['one']);
  t.is(await kernel.resources.get(Release, { namespace: 'default', name: 'reader-2' }), undefined);
  const { conditions = [] } = (await kernel.resources.get(Reader, key))?.status ?? {};
  t.regex(JSON.stringify(conditions), /plugin observer failed [^"]*secrets\.accessed/);
  state.fails = false;
  await kernel.advance(60_000);
  await kernel.reconcileUntilSettled();
  t.deepEqual(await copies(), ['two']);
});
