import { definePlugin, deny, hooks, Type } from '@tappaas/sdk';
import { Application } from '@tappaas/sdk/kinds';
import { monthlyCostEuro } from './cost.js';

const euro = (description: string) => ({ minimum: 0, description });

/** Denies applications that would cost more than the monthly budget. */
export default definePlugin({
  id: 'cost-guard',
  stability: 'beta',
  config: Type.Object({
    monthlyBudgetEuro: Type.Number(euro('Budget of one application, in euro a month.')),
    cpuCoreEuro: Type.Number({ ...euro('Price of one processor core, in euro a month.'), default: 20 }),
    memoryGibEuro: Type.Number({ ...euro('Price of one GiB of memory, in euro a month.'), default: 3 }),
  }),
  example: { monthlyBudgetEuro: 200 },
  setup(host, config) {
    const denied = host.counter({ name: 'cost_guard_denied_total', help: 'Applications denied for their cost.', seriesMax: 1 });
    host.tap(hooks.admission.validate, { kinds: [Application], timeoutMs: 500 }, ({ object }) => {
      const cost = Math.round(monthlyCostEuro(object, config));
      if (cost <= config.monthlyBudgetEuro) return undefined;
      denied({});
      const message = `costs ${cost} euro a month, the budget is ${config.monthlyBudgetEuro}`;
      return deny({ field: 'spec.processes', reason: 'OverBudget', message });
    });
  },
});
