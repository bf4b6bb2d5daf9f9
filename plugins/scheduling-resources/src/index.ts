import { definePlugin, hooks, Type } from '@tappaas/sdk';
import { makeFit } from './fit.js';
import { makeLeastAllocated } from './least-allocated.js';

const weight = Type.Object({
  resource: Type.String({ minLength: 1, description: 'A resource such as cpu, memory, pods or nvidia.com/gpu.' }),
  weight: Type.Integer({ minimum: 0, maximum: 100, description: 'Weight in the mean; 0 leaves the resource out.' }),
});

const config = Type.Object({
  extendedResources: Type.Array(Type.String({ minLength: 1 }), {
    default: [],
    maxItems: 32,
    description: 'Resources besides cpu, memory and ephemeral-storage that reasons name individually.',
  }),
  leastAllocated: Type.Array(weight, {
    default: [
      { resource: 'cpu', weight: 1 },
      { resource: 'memory', weight: 1 },
      { resource: 'pods', weight: 1 },
    ],
    maxItems: 32,
    description: 'Resources of which nodes should have much free, with their weights. Pods count as a resource.',
  }),
});

/** Places pods on nodes with enough free resources, the least used ones first. */
export default definePlugin({
  id: 'scheduling-resources',
  stability: 'beta',
  config,
  example: { extendedResources: ['nvidia.com/gpu'] },
  setup(host, { extendedResources, leastAllocated }) {
    const fit = makeFit(extendedResources);
    host.tap(hooks.scheduling.filter, { name: 'fit', reads: fit.reads, reasons: fit.reasons }, fit.run);
    const { reads, run } = makeLeastAllocated(leastAllocated);
    host.tap(hooks.scheduling.score, { name: 'least-allocated', reads, scale: 'points' }, run);
  },
});
