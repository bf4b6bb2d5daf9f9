import { definePlugin, hooks } from '@tappaas/sdk';
import { loadKernelFrom } from '../../core/dist/kernel/kernel.js';
import { hookedTaps } from '../../core/dist/schedule/hooked-taps.js';
import type { SchedulingTaps } from '../../core/dist/schedule/taps.js';
import resources from '../../plugins/scheduling-resources/dist/index.js';

/** A plugin as a third party would write it: nodes have a price, dear ones are refused, cheap ones preferred. */
const cost = definePlugin({
  id: 'cost',
  setup(host) {
    const price = host.column({
      name: 'price',
      unit: 'cents per hour',
      description: 'Price of the node.',
      of: ({ metadata }) => Number(metadata.labels?.['price/cents'] ?? Number.NaN),
    });
    host.tap(
      hooks.scheduling.filter,
      { reads: { price }, reasons: [{ message: 'too dear', retryOn: ['node-changed'] }] },
      ({ count, out, columns }) => {
        for (let i = 0; i < count; i++) out[i] = (columns.price[i] ?? 0) > 100 ? 1 : 0;
      },
    );
    host.tap(hooks.scheduling.score, { reads: { price }, scale: 'less-is-better' }, ({ count, out, columns }) => {
      for (let i = 0; i < count; i++) out[i] = columns.price[i] ?? 0;
    });
  },
});

/** The taps of the built-in scheduling plugin and of one third party's, as the kernel hands them out: guarded. */
export async function schedulingTaps(): Promise<SchedulingTaps> {
  const kernel = await loadKernelFrom({
    clock: { nowMs: () => Date.now(), sleep: () => new Promise(() => undefined) },
    random: Math.random,
    env: {},
    log: () => undefined,
    kernelVersion: '0.1.0',
    resourcesFor: () => {
      throw new Error('the scheduling plugins read no resources');
    },
    plugins: [
      { id: 'resources', plugin: resources, config: { extendedResources: ['nvidia.com/gpu'] } },
      { id: 'cost', plugin: cost },
    ],
  });
  await kernel.start();
  return hookedTaps(kernel.hooks, kernel.registrations(), { weightOf: () => 1 });
}
