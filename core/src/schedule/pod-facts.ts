import type { Immutable, Pod } from '@tappaas/sdk';
import type { PodName } from './decision.js';

/** As Kubernetes recommends it; what the platform renders bears the application's name there. */
const instanceLabel = 'app.kubernetes.io/instance';

export function podName({ metadata }: Immutable<Pod>): PodName {
  const instance = metadata.labels?.[instanceLabel];
  const names = { namespace: metadata.namespace ?? '', name: metadata.name ?? '', uid: metadata.uid ?? '' };
  return instance === undefined ? names : { ...names, instance };
}

/** A pod that has run to its end holds nothing on its node any more. */
export function hasEnded(pod: Immutable<Pod>): boolean {
  return pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed';
}

export function isGated(pod: Immutable<Pod>): boolean {
  return (pod.spec?.schedulingGates ?? []).length > 0;
}
