import assert from 'node:assert/strict';
import test from 'node:test';
import costGuard from '@acme/tappaas-admission-cost-guard';
import { Application } from '@tappaas/sdk/kinds';
import { conformance, load, startTestKernel } from '@tappaas/testing';

const shop = (replicas: number) => ({
  namespace: 'default',
  name: 'shop',
  spec: {
    source: { image: 'shop:1' },
    runtime: 'standard',
    processes: [{ name: 'web', replicas, resources: { cpu: '1', memory: '1Gi' } }],
  },
});

const guard = (monthlyBudgetEuro: number) => load(costGuard, { monthlyBudgetEuro });

test('an application within the budget is let through', async () => {
  await using kernel = await startTestKernel({ plugins: [guard(100)] });
  const { denials } = await kernel.admit(Application, shop(4));
  assert.deepEqual(denials, []);
});

test('an application over the budget is denied with its cost, in the plugin’s name, and counted', async () => {
  await using kernel = await startTestKernel({ plugins: [guard(100)] });
  const { denials } = await kernel.admit(Application, shop(5));
  const message = 'costs 115 euro a month, the budget is 100';
  assert.deepEqual(denials, [{ plugin: 'cost-guard', field: 'spec.processes', reason: 'OverBudget', message }]);
  assert.match(kernel.metricsText(), /cost_guard_denied_total\{[^}]*\} 1/);
});

test('an application that grows over the budget is not stored', async () => {
  await using kernel = await startTestKernel({ plugins: [guard(100)] });
  const { name, namespace, spec } = shop(4);
  await kernel.resources.create(Application, { metadata: { name, namespace }, spec });
  await assert.rejects(kernel.resources.patch(Application, { name, namespace }, { spec: shop(5).spec }), /OverBudget|the budget is 100/);
});

test('another budget holds from the reload on', async () => {
  await using kernel = await startTestKernel({ plugins: [guard(100)] });
  await kernel.reload([guard(200)]);
  assert.deepEqual((await kernel.admit(Application, shop(5))).denials, []);
});

test('a mistake in the configuration is told as the operator would read it', async () => {
  await assert.rejects(startTestKernel({ plugins: [guard(-1)] }), /plugins\.cost-guard\.config\.monthlyBudgetEuro/);
});

for (const { title, run } of conformance.plugin(() => guard(100))) test(title, run);
