import type { Immutable, Node } from '@tappaas/sdk';
import type { NodeFacts } from './node-table.js';
import { amountOf } from './quantity.js';

/** Reads what the scheduler keeps of a node; a resource whose amount cannot be read counts as absent and is told to `invalid`. */
export function nodeFacts(node: Immutable<Node>, invalid: (error: unknown) => void): NodeFacts {
  const allocatable = new Map<string, number>();
  for (const [resource, quantity] of Object.entries(node.status?.allocatable ?? {})) {
    try {
      allocatable.set(resource, amountOf(resource, quantity));
    } catch (error) {
      invalid(error);
    }
  }
  return {
    name: node.metadata.name ?? '',
    labels: node.metadata.labels ?? {},
    taints: node.spec?.taints ?? [],
    unschedulable: node.spec?.unschedulable ?? false,
    allocatable,
    node,
  };
}

/** Whether nothing differs that a decision could depend on, plugins' columns aside. */
export function sameForScheduling(a: NodeFacts, b: NodeFacts): boolean {
  return (
    a.unschedulable === b.unschedulable &&
    a.allocatable.size === b.allocatable.size &&
    [...a.allocatable].every(([resource, amount]) => b.allocatable.get(resource) === amount) &&
    JSON.stringify([a.labels, a.taints]) === JSON.stringify([b.labels, b.taints])
  );
}
