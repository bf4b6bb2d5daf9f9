import type { Eviction, HttpAnswer, HttpRequest, Immutable, Key, Pod, PodDisruptionBudget, RequestContext } from '@tappaas/sdk';
import { isActive, isReady } from '../controllers/pod-facts.js';
import { podsMax } from '../controllers/replica-set.js';
import { errors } from '../errors.js';
import { PodDisruptionBudgets, Pods } from '../kinds/handles.js';
import { matchesSelector } from '../kinds/label-selector.js';
import { bodyOf, success } from './wire.js';

/** `POST pods/eviction`: deletes a pod, unless that would violate a disruption budget. */
export async function evictPod(request: HttpRequest & { readonly key: Key }, { asCaller }: RequestContext): Promise<HttpAnswer> {
  const { deleteOptions } = bodyOf<Eviction>(request);
  const namespace = request.key.namespace ?? '';
  const pod = await asCaller.get(Pods, request.key);
  if (pod === undefined) throw errors.CLUSTER_LOCAL_NOT_FOUND({ message: `pod "${request.key.name}" not found` });
  const pods: Immutable<Pod>[] = [];
  for await (const found of asCaller.list(Pods, { namespace, itemsMax: podsMax })) pods.push(found);
  for await (const budget of asCaller.list(PodDisruptionBudgets, { namespace, itemsMax: podsMax })) {
    if (!matchesSelector(budget.spec?.selector, pod.metadata.labels) || !isReady(pod)) continue;
    const { healthy, wanted } = balanceOf(budget, pods);
    if (healthy - 1 < wanted) {
      const message = `evicting pod "${request.key.name}" would break disruption budget "${budget.metadata.name}": ${healthy} pods are ready, ${wanted} must stay`;
      throw errors.CLUSTER_LOCAL_EVICTION_HELD({ message });
    }
  }
  const uid = deleteOptions?.preconditions?.uid ?? pod.metadata.uid;
  await asCaller.delete(Pods, request.key, uid === undefined ? {} : { uid });
  return success(201);
}

/** How many pods of a budget are ready, and how many must be. */
function balanceOf(
  { spec }: Immutable<PodDisruptionBudget>,
  pods: readonly Immutable<Pod>[],
): { readonly healthy: number; readonly wanted: number } {
  const members = pods.filter((pod) => isActive(pod) && matchesSelector(spec?.selector, pod.metadata.labels));
  const healthy = members.filter(isReady).length;
  if (spec?.maxUnavailable !== undefined) return { healthy, wanted: members.length - partOf(spec.maxUnavailable, members.length) };
  return { healthy, wanted: partOf(spec?.minAvailable ?? 1, members.length) };
}

const partOf = (value: number | string, of: number): number =>
  typeof value === 'number' ? value : Math.ceil((Number.parseFloat(value) / 100) * of);
