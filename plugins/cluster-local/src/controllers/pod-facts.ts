import type { Immutable, OwnerReference, Pod } from '@tappaas/sdk';

type APod = Immutable<Pod>;

/** Whether the pod takes traffic. */
export const isReady = (pod: APod): boolean => readyCondition(pod)?.status === 'True';

/** Whether it has been ready for at least `minReadySeconds`. */
export function isAvailable(pod: APod, minReadySeconds: number, nowMs: number): boolean {
  return availableAtMs(pod, minReadySeconds) <= nowMs;
}

/** When a pod that stays ready counts as available; infinite while it is not ready. */
export function availableAtMs(pod: APod, minReadySeconds: number): number {
  const ready = readyCondition(pod);
  if (ready?.status !== 'True') return Infinity;
  return minReadySeconds === 0 ? 0 : Date.parse(ready.lastTransitionTime ?? '') + minReadySeconds * 1000;
}

/** Whether it is being deleted. */
export const isTerminating = (pod: APod): boolean => pod.metadata.deletionTimestamp !== undefined;

/** Whether its processes have ended for good. */
export const isFinished = (pod: APod): boolean => pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed';

/** Whether it counts as a replica. */
export const isActive = (pod: APod): boolean => !isTerminating(pod) && !isFinished(pod);

/** How often its containers were started again. */
export const restartsOf = (pod: APod): number =>
  (pod.status?.containerStatuses ?? []).reduce((sum, { restartCount }) => sum + restartCount, 0);

/** The owner that steers an object. */
export function controllerOf(object: { readonly metadata: { readonly ownerReferences?: readonly Immutable<OwnerReference>[] } }) {
  return object.metadata.ownerReferences?.find(({ controller }) => controller);
}

/** Whether the object with this uid steers the other one. */
export const isControlledBy = (
  object: { readonly metadata: { readonly ownerReferences?: readonly Immutable<OwnerReference>[] } },
  uid: string | undefined,
): boolean => uid !== undefined && controllerOf(object)?.uid === uid;

const readyCondition = (pod: APod) => pod.status?.conditions?.find(({ type }) => type === 'Ready');
