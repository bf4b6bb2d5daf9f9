import type { Immutable, OwnerReference, Pod } from '@tappaas/sdk';

type APod = Immutable<Pod>;

/** Whether the pod gets traffic. */
export const isReady = (pod: APod): boolean => readyCondition(pod)?.status === 'True';

/** Whether the pod has been ready for at least `minReadySeconds`. */
export function isAvailable(pod: APod, minReadySeconds: number, nowMs: number): boolean {
  return availableAtMs(pod, minReadySeconds) <= nowMs;
}

/** When a pod that stays ready counts as available; infinite while it is not ready. */
export function availableAtMs(pod: APod, minReadySeconds: number): number {
  const ready = readyCondition(pod);
  if (ready?.status !== 'True') return Infinity;
  return minReadySeconds === 0 ? 0 : Date.parse(ready.lastTransitionTime ?? '') + minReadySeconds * 1000;
}

/** Whether the pod is being deleted. */
export const isTerminating = (pod: APod): boolean => pod.metadata.deletionTimestamp !== undefined;

/** Whether the pod's processes have ended for good. */
export const isFinished = (pod: APod): boolean => pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed';

/** Whether the pod counts as a replica. */
export const isActive = (pod: APod): boolean => !isTerminating(pod) && !isFinished(pod);

/** Total number of restarts of the pod's containers. */
export const restartsOf = (pod: APod): number =>
  (pod.status?.containerStatuses ?? []).reduce((sum, { restartCount }) => sum + restartCount, 0);

/** The reference to the controller of an object. */
export function controllerOf(object: { readonly metadata: { readonly ownerReferences?: readonly Immutable<OwnerReference>[] } }) {
  return object.metadata.ownerReferences?.find(({ controller }) => controller);
}

/** Whether the object with this uid is the controller of the other object. */
export const isControlledBy = (
  object: { readonly metadata: { readonly ownerReferences?: readonly Immutable<OwnerReference>[] } },
  uid: string | undefined,
): boolean => uid !== undefined && controllerOf(object)?.uid === uid;

const readyCondition = (pod: APod) => pod.status?.conditions?.find(({ type }) => type === 'Ready');
