import { definePlugin, hooks, type Host, type NodeColumn, type Plugin } from '@tappaas/sdk';
import { definitionOf } from '@tappaas/sdk/definitions';
import type { FilterTap, PluginColumn, ScoreTap, SchedulingTaps } from '../../core/dist/schedule/taps.js';
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

type Registered = { hook: string; options: Record<string, unknown>; run: (input: never) => void };

/** The taps of one plugin, through its own `setup`. */
function registered(plugin: Plugin, config: unknown): { taps: Registered[]; columns: PluginColumn[] } {
  const taps: Registered[] = [];
  const columns: PluginColumn[] = [];
  const host = {
    id: plugin.id,
    tap: (hook: { name: string }, options: Record<string, unknown>, run: Registered['run']) => taps.push({ hook: hook.name, options, run }),
    column: (column: Parameters<Host<unknown>['column']>[0]): NodeColumn => {
      const name = `${plugin.id}/${column.name}`;
      columns.push({ plugin: plugin.id, name, of: (node) => column.of(node) });
      return { name, unit: column.unit, '~column': true };
    },
  };
  definitionOf(plugin, 'plugin')?.setup(host as unknown as Host<unknown>, config, {});
  return { taps, columns };
}

/** The built-in scheduling plugin and one third party's. */
export function schedulingTaps(): SchedulingTaps {
  const leastAllocated = ['cpu', 'memory', 'pods'].map((resource) => ({ resource, weight: 1 }));
  const loaded = [
    { plugin: resources.id, ...registered(resources, { extendedResources: ['nvidia.com/gpu'], leastAllocated }) },
    { plugin: cost.id, ...registered(cost, {}) },
  ];
  const at = (hook: string) =>
    loaded.flatMap(({ plugin, taps }) =>
      taps.filter((tap) => tap.hook === hook).map(({ options, run }) => ({ plugin, ...options, weight: 1, run })),
    );
  return {
    columns: loaded.flatMap(({ columns }) => columns),
    filter: at(hooks.scheduling.filter.name) as unknown as FilterTap[],
    score: at(hooks.scheduling.score.name) as unknown as ScoreTap[],
  };
}
