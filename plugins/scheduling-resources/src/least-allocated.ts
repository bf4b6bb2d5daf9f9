import { columns, type NodeColumn } from '@tappaas/sdk';
import type { FitInput } from './fit.js';

export interface ResourceWeight {
  readonly resource: string;
  readonly weight: number;
}

export interface LeastAllocated {
  readonly reads: Readonly<Record<string, NodeColumn>>;
  readonly run: (input: FitInput) => void;
}

const pointsMax = 100;
const pods = 'pods';

/**
 * Scores by the remaining share: the free share after placing the pod in whole percent, as a weighted mean over the resources, rounded
 * down.
 *
 * A resource that the node does not have is left out of the mean.
 */
export function makeLeastAllocated(weights: readonly ResourceWeight[]): LeastAllocated {
  const counted = weights.filter(({ weight }) => weight > 0);
  return {
    reads: Object.fromEntries(counted.flatMap(({ resource }) => readsOf(resource))),
    run: ({ pod, count, out, columns }) => {
      const parts = counted.map(({ resource, weight }) => ({
        free: columns[freeKey(resource)],
        allocatable: columns[allocatableKey(resource)],
        requested: resource === pods ? 1 : pod.requests(resource),
        weight,
      }));
      for (let i = 0; i < count; i++) {
        let points = 0;
        let weightSum = 0;
        for (const { free, allocatable, requested, weight } of parts) {
          const all = allocatable?.[i] ?? 0;
          if (all <= 0) continue;
          points += weight * Math.max(0, Math.floor((((free?.[i] ?? 0) - requested) * pointsMax) / all));
          weightSum += weight;
        }
        out[i] = weightSum === 0 ? 0 : Math.floor(points / weightSum);
      }
    },
  };
}

function readsOf(resource: string): readonly (readonly [string, NodeColumn])[] {
  const free = resource === pods ? columns.podsFree : columns.free(resource);
  return [
    [freeKey(resource), free],
    [allocatableKey(resource), columns.allocatable(resource)],
  ];
}

function freeKey(resource: string): string {
  return `free ${resource}`;
}

function allocatableKey(resource: string): string {
  return `allocatable ${resource}`;
}
