import test from 'ava';
import { defineKind, definePlugin, Type } from '@tappaas/sdk';
import { Operation, type OperationObject } from '@tappaas/sdk/kinds';
import { load, startTestKernel, type TestKernel } from '@tappaas/testing';

const Press = defineKind({
  group: 'test.acme.dev',
  kind: 'Press',
  plural: 'presses',
  version: 'v1alpha1',
  scope: 'Namespaced',
  description: 'Presses grapes.',
  spec: Type.Object({ tons: Type.Integer({ minimum: 1 }) }),
  status: Type.Object({
    operation: Type.Optional(Type.String()),
    observedGeneration: Type.Optional(Type.Integer()),
    conditions: Type.Optional(Type.Array(Type.Unknown())),
  }),
});

/** A kind whose changes are operations that never end by themselves, with an action that ends once `letGo` resolves. */
const press = (letGo: Promise<void>) =>
  definePlugin({
    id: 'press',
    permissions: { resources: [{ kind: Press, verbs: ['get', 'list', 'watch', 'update'] }] },
    setup(host) {
      host.kind(Press);
      host.controller({
        kind: Press,
        operation: { verb: 'install' },
        async reconcile(_, context) {
          await context.setStatus({}, [{ type: 'Ready', status: 'False', reason: 'Installing', message: 'it is being installed' }]);
        },
      });
      host.action({
        on: Press,
        name: 'clean',
        description: 'Cleans it.',
        long: true,
        input: Type.Object({}),
        output: Type.Object({ buckets: Type.Integer() }),
        async handle() {
          await letGo;
          return { buckets: 3 };
        },
      });
    },
  });

const key = { namespace: 'default', name: 'old' };

async function operationsOf(kernel: TestKernel, verb: string): Promise<readonly OperationObject[]> {
  const all: OperationObject[] = [];
  for await (const operation of kernel.resources.list(Operation, { itemsMax: 100 })) all.push(operation as OperationObject);
  return all.filter(({ spec }) => spec.verb === verb);
}

const phasesOf = async (kernel: TestKernel, verb: string) =>
  (await operationsOf(kernel, verb)).map(({ status }) => status?.phase ?? 'Pending').toSorted();

async function clean(kernel: TestKernel): Promise<number> {
  return (await kernel.http('POST', '/apis/test.acme.dev/v1alpha1/namespaces/default/presses/old/clean', '{}')).status;
}

test('a change of an object supersedes the operations of its earlier changes, and no action that goes on', async (t) => {
  const { promise, resolve: letGo } = Promise.withResolvers<void>();
  await using kernel = await startTestKernel({ plugins: [load(press(promise))] });
  // Stopping the kernel waits for its actions.
  using _ = { [Symbol.dispose]: letGo };
  await kernel.resources.create(Press, { metadata: key, spec: { tons: 1 } });
  await kernel.reconcileUntilSettled();
  t.deepEqual([await clean(kernel), await clean(kernel)], [202, 202]);
  await kernel.resources.patch(Press, key, { spec: { tons: 2 } });
  await kernel.reconcileUntilSettled();
  t.deepEqual(await phasesOf(kernel, 'install'), ['Cancelled', 'Running']);
  t.deepEqual(await phasesOf(kernel, 'clean'), ['Running', 'Running'], 'neither the change nor the second action ends the first');
  letGo();
  await kernel.advance(1_000);
  const ended = await operationsOf(kernel, 'clean');
  t.deepEqual(
    ended.map(({ status }) => [status?.phase, status?.result]),
    [
      ['Succeeded', { buckets: '3' }],
      ['Succeeded', { buckets: '3' }],
    ],
  );
});
