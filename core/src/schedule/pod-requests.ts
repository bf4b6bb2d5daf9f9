import type { Immutable, PodSpec } from '@tappaas/sdk';
import { amountMax, amountOf } from './quantity.js';

/** Integer amounts by resource: cpu in millicores, others in their unit. */
export type Amounts = ReadonlyMap<string, number>;

type Container = Pick<Immutable<PodSpec>['containers'][number], 'resources'> & { readonly restartPolicy?: string };

/**
 * Returns the resources that a pod occupies on a node.
 *
 * Containers run together and add up. Init containers run one after another, beside the sidecars (init containers that always restart)
 * started before them, so the largest counts. Amounts for the whole pod replace the sum; the overhead is added. A limit without a request
 * counts as the request, as the API server would default it.
 *
 * @source https://kubernetes.io/docs/concepts/workloads/pods/init-containers/#resource-sharing-within-containers
 * @throws TAP_SCHEDULE_QUANTITY_INVALID
 */
export function podRequests(spec: Immutable<PodSpec>): Amounts {
  const sum = new Map<string, number>();
  for (const container of spec.containers) addInto(sum, containerRequests(container));
  const sidecars = new Map<string, number>();
  const peak = new Map<string, number>();
  for (const container of spec.initContainers ?? []) {
    const own = containerRequests(container);
    if (container.restartPolicy === 'Always') {
      addInto(sum, own);
      addInto(sidecars, own);
      raiseTo(peak, sidecars);
    } else {
      const together = new Map(sidecars);
      addInto(together, own);
      raiseTo(peak, together);
    }
  }
  raiseTo(sum, peak);
  for (const [resource, amount] of containerRequests(spec)) sum.set(resource, amount);
  for (const [resource, quantity] of Object.entries(spec.overhead ?? {})) addInto(sum, new Map([[resource, amountOf(resource, quantity)]]));
  return sum;
}

function containerRequests({ resources }: Container): Map<string, number> {
  const amounts = new Map<string, number>();
  for (const [resource, quantity] of Object.entries(resources?.limits ?? {})) amounts.set(resource, amountOf(resource, quantity));
  for (const [resource, quantity] of Object.entries(resources?.requests ?? {})) amounts.set(resource, amountOf(resource, quantity));
  return amounts;
}

function addInto(sum: Map<string, number>, amounts: Amounts): void {
  for (const [resource, amount] of amounts) sum.set(resource, Math.min(amountMax, (sum.get(resource) ?? 0) + amount));
}

function raiseTo(target: Map<string, number>, amounts: Amounts): void {
  for (const [resource, amount] of amounts) target.set(resource, Math.max(target.get(resource) ?? 0, amount));
}
