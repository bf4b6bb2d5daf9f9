import type { Immutable, Pod, PodTemplate, ReplicaSet, ReplicaSetStatus } from '@tappaas/sdk';
import { matchesSelector } from '../kinds/label-selector.js';
import { canonicalJson } from '../canonical-json.js';
import { suffixed, wordOf } from './naming.js';
import { availableAtMs, controllerOf, isActive, isAvailable, isControlledBy, isReady, isTerminating, restartsOf } from './pod-facts.js';

type ASet = Immutable<ReplicaSet>;
type APod = Immutable<Pod>;

/** Maximum number of pods created or deleted in one run, so that the duration of a run does not grow with the number of replicas. */
export const burstMax = 100;

/** The actions that give a replica set its desired pods. */
export interface ReplicaSetPlan {
  readonly adopt: readonly APod[];
  /** Names of pods to create. */
  readonly create: readonly string[];
  readonly delete: readonly APod[];
  readonly status: ReplicaSetStatus;
  /** When the next ready pod becomes available, milliseconds since the epoch. */
  readonly againAtMs?: number;
}

/**
 * Plans from the pods that match the set's selector.
 *
 * New names are derived from the set and its existing pods: a run repeated on the same view creates the same names, so a create whose
 * response was lost fails as "already exists" instead of creating a duplicate.
 */
export function planReplicaSet(set: ASet, pods: readonly APod[], nowMs: number): ReplicaSetPlan {
  const uid = set.metadata.uid;
  const orphans = pods.filter(
    (pod) => isActive(pod) && controllerOf(pod) === undefined && matchesSelector(set.spec?.selector, pod.metadata.labels),
  );
  const own = pods.filter((pod) => isControlledBy(pod, uid));
  const isEnding = set.metadata.deletionTimestamp !== undefined;
  const active = [...own.filter(isActive), ...(isEnding ? [] : orphans)];
  const missing = isEnding ? 0 : (set.spec?.replicas ?? 1) - active.length;
  const status = statusOf(set, own.filter(isActive), own.filter(isTerminating).length, nowMs);
  const next = Math.min(...active.map((pod) => availableAtMs(pod, set.spec?.minReadySeconds ?? 0)).filter((at) => at > nowMs));
  return {
    adopt: isEnding ? [] : orphans,
    create: missing > 0 ? newNames(set, own, Math.min(missing, burstMax)) : [],
    delete: missing < 0 ? victims(active, Math.min(-missing, burstMax)) : [],
    status,
    ...(Number.isFinite(next) ? { againAtMs: next } : {}),
  };
}

function newNames(set: ASet, own: readonly APod[], count: number): string[] {
  const seen = own.map(({ metadata }) => metadata.uid ?? '').toSorted();
  const seed = canonicalJson([set.metadata.uid, seen]);
  return Array.from({ length: count }, (_, index) => suffixed(set.metadata.name ?? '', wordOf(`${seed}#${index}`, 5)));
}

/**
 * Chooses the pods to delete: first those that are unbound, pending, not ready, cheapest to delete, most often restarted, youngest; then by
 * name.
 */
export function victims(pods: readonly APod[], count: number): readonly APod[] {
  const rank = (pod: APod): readonly number[] => [
    pod.spec?.nodeName ? 1 : 0,
    pod.status?.phase === 'Running' ? 1 : 0,
    isReady(pod) ? 1 : 0,
    Number(pod.metadata.annotations?.['controller.kubernetes.io/pod-deletion-cost'] ?? 0),
    -restartsOf(pod),
    -Date.parse(pod.metadata.creationTimestamp ?? ''),
  ];
  const ranked = pods.map((pod) => ({ pod, rank: rank(pod) }));
  ranked.sort((a, b) => {
    for (const [index, value] of a.rank.entries()) {
      const difference = value - (b.rank[index] ?? 0);
      if (difference !== 0 && !Number.isNaN(difference)) return difference;
    }
    return (a.pod.metadata.name ?? '') < (b.pod.metadata.name ?? '') ? -1 : 1;
  });
  return ranked.slice(0, count).map(({ pod }) => pod);
}

function statusOf(set: ASet, active: readonly APod[], terminating: number, nowMs: number): ReplicaSetStatus {
  const wanted = set.spec?.template?.metadata?.labels ?? {};
  const isFullyLabeled = (pod: APod) => Object.entries(wanted).every(([key, value]) => pod.metadata.labels?.[key] === value);
  return {
    replicas: active.length,
    fullyLabeledReplicas: active.filter(isFullyLabeled).length,
    readyReplicas: active.filter(isReady).length,
    availableReplicas: active.filter((pod) => isAvailable(pod, set.spec?.minReadySeconds ?? 0, nowMs)).length,
    terminatingReplicas: terminating,
    observedGeneration: set.metadata.generation ?? 0,
  };
}

/** The pod of a template. */
export function podOf(
  owner: { readonly metadata: { readonly namespace?: string } },
  template: Immutable<PodTemplate> | undefined,
  name: string,
): object {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name,
      namespace: owner.metadata.namespace,
      labels: template?.metadata?.labels ?? {},
      annotations: template?.metadata?.annotations ?? {},
      ...(template?.metadata?.finalizers ? { finalizers: template.metadata.finalizers } : {}),
    },
    spec: template?.spec,
  };
}
