import type { Immutable, Pod } from '@tappaas/sdk';
import type { PodName } from './decision.js';

export function podName({ metadata }: Immutable<Pod>): PodName {
  return { namespace: metadata.namespace ?? '', name: metadata.name ?? '', uid: metadata.uid ?? '' };
}

/** A pod that has run to its end holds nothing on its node any more. */
export function hasEnded(pod: Immutable<Pod>): boolean {
  return pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed';
}

export function isGated(pod: Immutable<Pod>): boolean {
  return (pod.spec?.schedulingGates ?? []).length > 0;
}
