import type { Immutable, Pod } from '@tappaas/sdk';
import type { PodName } from './decision.js';

/** The label that Kubernetes recommends; in objects rendered by the platform its value is the application's name. */
const instanceLabel = 'app.kubernetes.io/instance';

export function podName({ metadata }: Immutable<Pod>): PodName {
  const instance = metadata.labels?.[instanceLabel];
  const names = { namespace: metadata.namespace ?? '', name: metadata.name ?? '', uid: metadata.uid ?? '' };
  return instance === undefined ? names : { ...names, instance };
}

/** Whether a pod has run to completion and no longer holds resources on its node. */
export function hasEnded(pod: Immutable<Pod>): boolean {
  return pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed';
}

export function isGated(pod: Immutable<Pod>): boolean {
  return (pod.spec?.schedulingGates ?? []).length > 0;
}
