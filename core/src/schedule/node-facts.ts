import type { Immutable, Node } from '@tappaas/sdk';
import type { NodeFacts } from './node-table.js';
import { amountOf } from './quantity.js';

/**
 * Extracts the facts that the scheduler keeps of a node. A resource with an unreadable amount counts as absent and is reported to
 * `invalid`.
 */
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

/** Whether two states are equal in everything that affects scheduling, except plugin columns. */
export function sameForScheduling(a: NodeFacts, b: NodeFacts): boolean {
  return (
    a.unschedulable === b.unschedulable &&
    a.allocatable.size === b.allocatable.size &&
    [...a.allocatable].every(([resource, amount]) => b.allocatable.get(resource) === amount) &&
    JSON.stringify([a.labels, a.taints]) === JSON.stringify([b.labels, b.taints])
  );
}
