import type { NodeColumn, PodClass } from '@tappaas/sdk';
import type { FitInput } from '../dist/fit.js';

/** A class of pods with these requests. */
export function podClass(requests: Readonly<Record<string, number>>): PodClass {
  return {
    spec: { containers: [] },
    namespace: 'default',
    labels: {},
    priority: 0,
    requests: (resource) => requests[resource] ?? 0,
    resources: Object.keys(requests),
  };
}

/** Runs a tap on nodes, given as the values of the columns it reads, by column name. */
export function run(
  tap: { readonly reads: Readonly<Record<string, NodeColumn>>; readonly run: (input: FitInput) => void },
  requests: Readonly<Record<string, number>>,
  nodes: readonly Readonly<Record<string, number>>[],
): readonly number[] {
  const columns = Object.fromEntries(
    Object.entries(tap.reads).map(([key, { name }]) => [key, Float64Array.from(nodes, (node) => node[name] ?? 0)]),
  );
  const out = new Int32Array(nodes.length);
  tap.run({ pod: podClass(requests), count: nodes.length, out, columns });
  return [...out];
}
