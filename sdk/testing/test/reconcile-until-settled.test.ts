import test from 'ava';
import { defineErrors } from '@tappaas/sdk';
import { load, startTestKernel, type TestKernel } from '@tappaas/testing';
import { Budget, budget, budgets, goodBudgets, ready } from './sample-plugins.ts';

const statusOf = async (kernel: TestKernel, name: string) => (await kernel.resources.get(Budget, { namespace: 'default', name }))?.status;

test('controllers rest until they are told to run, then everything is settled', async (t) => {
  await using kernel = await startTestKernel({ plugins: [load(goodBudgets)] });
  for (const name of ['a', 'b', 'c']) await kernel.resources.create(Budget, budget(name, 7));
  await kernel.advance(60_000);
  t.is((await statusOf(kernel, 'a'))?.seenEuro, undefined);
  await kernel.reconcileUntilSettled();
  for (const name of ['a', 'b', 'c']) t.is((await statusOf(kernel, name))?.seenEuro, 7);
});

test('a change after that is settled the next time, and nothing else is run again', async (t) => {
  const runs: string[] = [];
  const counting = budgets(async (object, context) => {
    runs.push(object.metadata.name);
    await context.setStatus({ seenEuro: object.spec.euro }, ready);
  });
  await using kernel = await startTestKernel({ plugins: [load(counting)] });
  for (const name of ['a', 'b']) await kernel.resources.create(Budget, budget(name));
  await kernel.reconcileUntilSettled();
  runs.length = 0;
  await kernel.resources.patch(Budget, { namespace: 'default', name: 'b' }, { spec: { euro: 9 } });
  await kernel.reconcileUntilSettled();
  t.true(runs.length > 0);
  t.deepEqual(new Set(runs), new Set(['b']));
});

test('what fails is tried again at once, until it succeeds', async (t) => {
  let failures = 5;
  const failing = budgets(async (object, context) => {
    if (failures > 0) {
      failures -= 1;
      throw new Error('not yet');
    }
    await context.setStatus({ seenEuro: object.spec.euro }, ready);
  });
  await using kernel = await startTestKernel({ plugins: [load(failing)] });
  await kernel.resources.create(Budget, budget('a', 3));
  const beforeMs = kernel.clock.nowMs();
  await kernel.reconcileUntilSettled();
  t.is((await statusOf(kernel, 'a'))?.seenEuro, 3);
  t.is(kernel.clock.nowMs(), beforeMs);
});

test('an error that no retry can help ends it', async (t) => {
  const errors = defineErrors({ BUDGETS_HOPELESS: { httpStatus: 422, blame: 'caller', retry: 'never', remedy: 'Change the budget.' } });
  let runs = 0;
  const hopeless = budgets(async () => {
    runs += 1;
    throw errors.BUDGETS_HOPELESS({ message: 'this cannot be' });
  });
  await using kernel = await startTestKernel({ plugins: [load(hopeless)] });
  await kernel.resources.create(Budget, budget('a'));
  await kernel.reconcileUntilSettled();
  t.is(runs, 1);
});

test('what asks for a later run waits for the clock', async (t) => {
  let runs = 0;
  const later = budgets(async () => {
    runs += 1;
    return { againAfterMs: 60_000 };
  });
  await using kernel = await startTestKernel({ plugins: [load(later)] });
  await kernel.resources.create(Budget, budget('a'));
  await kernel.reconcileUntilSettled();
  t.is(runs, 1);
  await kernel.advance(59_000);
  await kernel.reconcileUntilSettled();
  t.is(runs, 1);
  await kernel.advance(1_000);
  await kernel.reconcileUntilSettled();
  t.is(runs, 2);
});

test('a run takes a minute at the most, or as long as its controller says', async (t) => {
  for (const { runMsMax, seenEuro } of [{ seenEuro: undefined }, { runMsMax: 120_000, seenEuro: 7 }]) {
    const begun = Promise.withResolvers<void>();
    let runs = 0;
    const slow = budgets(
      async (object, context) => {
        runs += 1;
        if (runs > 1) return;
        begun.resolve();
        await context.clock.sleep(90_000, context.signal);
        await context.setStatus({ seenEuro: object.spec.euro }, ready);
      },
      { ...(runMsMax && { runMsMax }) },
    );
    await using kernel = await startTestKernel({ plugins: [load(slow)] });
    await kernel.resources.create(Budget, budget('a', 7));
    const settled = kernel.reconcileUntilSettled();
    await begun.promise;
    await kernel.advance(90_000);
    await settled;
    t.is((await statusOf(kernel, 'a'))?.seenEuro, seenEuro);
  }
});

test('what never rests is named after a thousand runs, with its count, its last result and the seed', async (t) => {
  const restless = budgets(async (object, context) => {
    if (object.metadata.name === 'quiet') return;
    const { status } = (await context.asPlugin.get(Budget, { namespace: 'default', name: object.metadata.name })) ?? {};
    await context.setStatus({ runs: (status?.runs ?? 0) + 1 }, ready);
  });
  await using kernel = await startTestKernel({ plugins: [load(restless)], seed: 42 });
  for (const name of ['quiet', 'restless']) await kernel.resources.create(Budget, budget(name));
  const error = await t.throwsAsync(kernel.reconcileUntilSettled(), { code: 'TAP_RECONCILE_RESTLESS' });
  t.regex(error?.message ?? '', /within 1000 runs: budgets\/Budget default\/restless \((?:999|1000) runs, the last done\), /);
  t.regex(error?.message ?? '', /default\/quiet \(1 runs/);
  t.regex(error?.message ?? '', /\(seed 42\)$/);
});

test('a finalizer runs to its end before the object goes', async (t) => {
  const { definePlugin } = await import('@tappaas/sdk');
  const cleaned: string[] = [];
  const cleaning = definePlugin({
    id: 'cleaning',
    permissions: { resources: [{ kind: Budget, verbs: ['get', 'update'] }] },
    setup(host) {
      host.kind(Budget);
      host.controller({
        kind: Budget,
        reconcile: async () => undefined,
        finalize: async ({ metadata }) => void cleaned.push(metadata.name),
      });
    },
  });
  await using kernel = await startTestKernel({ plugins: [load(cleaning)] });
  await kernel.resources.create(Budget, budget('a'));
  await kernel.reconcileUntilSettled();
  await kernel.resources.delete(Budget, { namespace: 'default', name: 'a' });
  t.truthy(await kernel.resources.get(Budget, { namespace: 'default', name: 'a' }));
  await kernel.reconcileUntilSettled();
  t.deepEqual(cleaned, ['a']);
  t.is(await kernel.resources.get(Budget, { namespace: 'default', name: 'a' }), undefined);
});

test('what is left without an owner is collected', async (t) => {
  await using kernel = await startTestKernel({ plugins: [load(goodBudgets)] });
  const owner = await kernel.resources.create(Budget, budget('owner'));
  const { apiVersion, kind, metadata } = owner;
  const ownerReferences = [{ apiVersion, kind, name: metadata.name, uid: metadata.uid }];
  await kernel.resources.create(Budget, { ...budget('owned'), metadata: { ...budget('owned').metadata, ownerReferences } });
  await kernel.reconcileUntilSettled();
  await kernel.resources.delete(Budget, { namespace: 'default', name: 'owner' });
  await kernel.reconcileUntilSettled();
  t.is(await kernel.resources.get(Budget, { namespace: 'default', name: 'owned' }), undefined);
});

test('one seed gives one order, and seeds give several', async (t) => {
  const orderWith = async (seed: number) => {
    const order: string[] = [];
    const { definePlugin, defineKind, Type } = await import('@tappaas/sdk');
    const kinds = ['Red', 'Green', 'Blue', 'White'].map((kind) =>
      defineKind({
        group: 'colours.acme.dev',
        kind,
        plural: `${kind.toLowerCase()}s`,
        version: 'v1',
        scope: 'Cluster',
        description: kind,
        spec: Type.Object({}),
        status: Type.Object({}),
      }),
    );
    const colours = definePlugin({
      id: 'colours',
      setup(host) {
        for (const kind of kinds) {
          host.kind(kind);
          host.controller({ kind, reconcile: async () => void order.push(kind.kind) });
        }
      },
    });
    await using kernel = await startTestKernel({ plugins: [load(colours)], seed });
    for (const kind of kinds) await kernel.resources.create(kind, { metadata: { name: 'one' }, spec: {} });
    await kernel.reconcileUntilSettled();
    return order.join(' ');
  };
  t.is(await orderWith(1), await orderWith(1));
  const orders = new Set(await Promise.all([1, 2, 3, 4, 5, 6].map(orderWith)));
  t.true(orders.size > 1, [...orders].join('; '));
});
