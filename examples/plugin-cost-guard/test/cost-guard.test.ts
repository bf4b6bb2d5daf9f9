import assert from 'node:assert/strict';
import test from 'node:test';
import { conformance, load, startTestKernel } from '@tappaas/testing';
import { Application } from '@tappaas/sdk/kinds';
import costGuard from '@acme/tappaas-admission-cost-guard';

const shop = (replicas: number) => ({
  namespace: 'default',
  name: 'shop',
  spec: { source: { image: 'shop:1' }, runtime: 'standard', processes: [{ name: 'web', replicas, resources: { cpu: '1', memory: '1Gi' } }] },
});

test('an application within the budget is let through', async () => {
  await using kernel = await startTestKernel({ plugins: [load(costGuard, { monthlyBudgetEuro: 100 })] });
  assert.deepEqual((await kernel.admit(Application, shop(4))).denials, []);
});

test('an application over the budget is denied with its cost, by the plugin’s name', async () => {
  await using kernel = await startTestKernel({ plugins: [load(costGuard, { monthlyBudgetEuro: 100 })] });
  const { denials } = await kernel.admit(Application, shop(5));
  assert.deepEqual(denials, [{ plugin: 'cost-guard', field: 'spec.processes', reason: 'OverBudget', message: 'costs 115 euro a month, the budget is 100' }]);
});

test('a mistake in the configuration is told as the operator would read it', async () => {
  await assert.rejects(startTestKernel({ plugins: [load(costGuard, { monthlyBudgetEuro: -1 })] }), /monthlyBudgetEuro/);
});

for (const { title, run } of conformance.plugin(() => load(costGuard, { monthlyBudgetEuro: 100 }))) test(title, run);
