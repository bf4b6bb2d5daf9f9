import { definePlugin, Type } from '@tappaas/sdk';
import { Application } from '@tappaas/sdk/kinds';
import { load, startTestKernel } from '@tappaas/testing';
import test from 'ava';

const costs = definePlugin({
  id: 'costs',
  setup(host) {
    host.field({
      on: Application,
      name: 'monthlyEuro',
      description: 'What it costs a month, in euro.',
      args: Type.Object({ share: Type.Number({ default: 1, description: 'Part of it.' }) }),
      type: Type.Number(),
      costPerObject: 1,
      resolve: async (objects, { share }, { caller }) =>
        objects.map(({ spec }) => spec.processes.length * 10 * share + (caller.name === 'test' ? 0 : 1_000)),
    });
    host.action({
      on: Application,
      name: 'rename',
      description: 'Says what it would be called.',
      input: Type.Object({ to: Type.String({ description: 'The new name.' }) }),
      output: Type.Object({ renamed: Type.String({ description: 'Both names.' }) }),
      handle: async ({ object, input }) => ({ renamed: `${object.metadata.name} to ${input.to}` }),
    });
  },
});

test('fields and actions of a plugin are asked through GraphQL, with arguments and their defaults', async (t) => {
  await using kernel = await startTestKernel({ plugins: [load(costs)] });
  await kernel.admit(Application, { name: 'none', namespace: 'default', spec: draft });
  const input = {
    namespace: 'default',
    name: 'shop',
    spec: { source: { image: 'shop@sha256:1' }, processes: [{ name: 'web' }, { name: 'worker' }] },
  };
  await kernel.graphql('mutation C($input: CreateApplicationInput!) { createApplication(input: $input) { userErrors { message } } }', {
    input,
  });
  t.deepEqual(await kernel.graphql('{ applications { nodes { name monthlyEuro half: monthlyEuro(share: 0.5) } } }'), {
    applications: { nodes: [{ name: 'shop', monthlyEuro: 20, half: 10 }] },
  });
  const rename =
    'mutation { renameApplication(input: { namespace: "default", name: "shop", parameters: { to: "store" } }) { output { renamed } userErrors { code } } }';
  t.deepEqual(await kernel.graphql(rename), { renameApplication: { output: { renamed: 'shop to store' }, userErrors: [] } });
  const { application } = (await kernel.graphql(
    '{ application(namespace: "default", name: "shop") { metadata { resourceVersion } } }',
  )) as {
    application: { metadata: { resourceVersion: string } };
  };
  const expecting =
    'mutation E($version: String) { renameApplication(input: { namespace: "default", name: "shop", expectedVersion: $version, parameters: { to: "store" } }) { output { renamed } userErrors { code } } }';
  t.deepEqual(await kernel.graphql(expecting, { version: application.metadata.resourceVersion }), {
    renameApplication: { output: { renamed: 'shop to store' }, userErrors: [] },
  });
  t.deepEqual(await kernel.graphql(expecting, { version: '1' }), {
    renameApplication: { output: null, userErrors: [{ code: 'TAP_OBJECT_PRECONDITION' }] },
  });
  await t.throwsAsync(kernel.graphql('{ nothing }'), { message: /TAP_GRAPHQL_DOCUMENT_INVALID/ });
});

const draft = {
  source: { image: 'shop@sha256:1' },
  runtime: 'standard',
  processes: [{ name: 'web', replicas: 1 }],
};
