import { columns, type NodeColumn, type PodClass, type RetryOn } from '@tappaas/sdk';

/** Input and output of a filter call; entry i of each array is candidate i. */
export interface FitInput {
  readonly pod: PodClass;
  readonly count: number;
  readonly out: Int32Array;
  readonly columns: Readonly<Record<string, Float64Array>>;
}

export interface FitReason {
  readonly message: string;
  readonly retryOn: readonly RetryOn[];
}

export interface Fit {
  readonly reads: Readonly<Record<string, NodeColumn>>;
  readonly reasons: readonly FitReason[];
  readonly run: (input: FitInput) => void;
}

const nativeResources = ['cpu', 'memory', 'ephemeral-storage'] as const;
const retryOn: readonly RetryOn[] = ['node-added', 'node-changed', 'pod-deleted'];
const tooManyPods = 1;

/** Rejects nodes that lack a requested resource; resources that a pod does not request never matter. */
export function makeFit(extendedResources: readonly string[]): Fit {
  const resources = [...new Set([...nativeResources, ...extendedResources])];
  return {
    reads: { podsFree: columns.podsFree, ...Object.fromEntries(resources.map((resource) => [resource, columns.free(resource)])) },
    reasons: [{ message: 'too many pods', retryOn }, ...resources.map((resource) => ({ message: `insufficient ${resource}`, retryOn }))],
    run: (input) => {
      refuse(input.columns['podsFree'], 1, tooManyPods, input);
      resources.forEach((resource, i) => {
        const requested = input.pod.requests(resource);
        if (requested > 0) refuse(input.columns[resource], requested, tooManyPods + 1 + i, input);
      });
    },
  };
}

function refuse(free: Float64Array | undefined, requested: number, reason: number, { count, out }: FitInput): void {
  if (free === undefined) return;
  for (let i = 0; i < count; i++) if ((free[i] ?? 0) < requested && out[i] === 0) out[i] = reason;
}
