import { definePlugin, deny, hooks, Type } from '@tappaas/sdk';
import { Application } from '@tappaas/sdk/kinds';
import { monthlyCostEuro } from './cost.js';

/** Denies applications that would cost more than the monthly budget. */
export default definePlugin({
  id: 'cost-guard',
  stability: 'beta',
  config: Type.Object({
    monthlyBudgetEuro: Type.Number({ minimum: 0, description: 'Budget of one application, in euro a month.' }),
    cpuCoreEuro: Type.Number({ minimum: 0, default: 20, description: 'Price of one processor core, in euro a month.' }),
    memoryGibEuro: Type.Number({ minimum: 0, default: 3, description: 'Price of one GiB of memory, in euro a month.' }),
  }),
  example: { monthlyBudgetEuro: 200 },
  setup(host, config) {
    const denied = host.counter({ name: 'cost_guard_denied_total', help: 'Applications denied for their cost.', seriesMax: 1 });
    host.tap(hooks.admission.validate, { kinds: [Application], timeoutMs: 500 }, ({ object }) => {
      const euro = Math.round(monthlyCostEuro(object, config));
      if (euro <= config.monthlyBudgetEuro) return undefined;
      denied({});
      return deny({ field: 'spec.processes', reason: 'OverBudget', message: `costs ${euro} euro a month, the budget is ${config.monthlyBudgetEuro}` });
    });
  },
});
