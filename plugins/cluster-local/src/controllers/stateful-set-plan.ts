import type { Immutable, Pod, StatefulSet, StatefulSetStatus } from '@tappaas/sdk';
import { canonicalJson } from '../canonical-json.js';
import { wordOf } from './naming.js';
import { isAvailable, isControlledBy, isFinished, isReady, isTerminating } from './pod-facts.js';
import { podOf } from './replica-set-plan.js';

type ASet = Immutable<StatefulSet>;
type APod = Immutable<Pod>;

/** The actions that give a stateful set its numbered pods. */
export interface StatefulSetPlan {
  readonly create: readonly object[];
  readonly delete: readonly APod[];
  readonly status: StatefulSetStatus;
}

const hashLabel = 'controller-revision-hash';
const nameLabel = 'statefulset.kubernetes.io/pod-name';
const indexLabel = 'apps.kubernetes.io/pod-index';

/**
 * Plans from the pods of the set's namespace: one step at a time in order, unless the pod management policy is Parallel.
 *
 * Pods are created from the lowest number up, waiting for each to become available; deletions and updates go from the highest number down.
 * A pod with a number below the partition keeps its old template.
 */
export function planStatefulSet(set: ASet, pods: readonly APod[], nowMs: number): StatefulSetPlan {
  const revision = `${set.metadata.name}-${wordOf(canonicalJson(set.spec?.template), 10)}`;
  const start = set.spec?.ordinals?.start ?? 0;
  const wished = set.spec?.replicas ?? 1;
  const own = new Map(pods.filter((pod) => isControlledBy(pod, set.metadata.uid)).map((pod) => [ordinalOf(set, pod), pod]));
  const numbers = Array.from({ length: wished }, (_, index) => start + index);
  const isParallel = set.spec?.podManagementPolicy === 'Parallel';
  const minReady = set.spec?.minReadySeconds ?? 0;
  const isSettled = (pod: APod | undefined) => pod !== undefined && !isTerminating(pod) && isAvailable(pod, minReady, nowMs);
  const extra = [...own]
    .filter(([number]) => !numbers.includes(number))
    .toSorted(([a], [b]) => b - a)
    .map(([, pod]) => pod);
  const over = numbers
    .map((number) => own.get(number))
    .filter((pod) => pod !== undefined && isFinished(pod) && !isTerminating(pod)) as APod[];
  const missing = numbers.filter((number) => !own.has(number));
  const firstOpen = numbers.find((number) => !isSettled(own.get(number)));
  const create = isParallel ? missing : missing.filter((number) => number === firstOpen);
  const isQuiet = missing.length === 0 && firstOpen === undefined;
  const canShrink = isParallel || isQuiet;
  const shrink = extra.filter((pod) => !isTerminating(pod));
  const down = canShrink ? (isParallel ? shrink : extra.some(isTerminating) ? [] : shrink.slice(0, 1)) : [];
  const replaced = extra.length > 0 || missing.length > 0 ? [] : outdated(set, numbers, own, revision, firstOpen);
  return {
    create: create.map((number) => numberedPod(set, number, revision)),
    delete: [...over, ...down, ...replaced],
    status: statusOf(set, own, revision, nowMs),
  };
}

/** The highest pod with an old template, unless another pod is not available yet; a broken old pod may always be replaced. */
function outdated(
  set: ASet,
  numbers: readonly number[],
  own: ReadonlyMap<number, APod>,
  revision: string,
  firstOpen: number | undefined,
): readonly APod[] {
  if (set.spec?.updateStrategy?.type === 'OnDelete') return [];
  const partition = set.spec?.updateStrategy?.rollingUpdate?.partition ?? 0;
  const candidates = numbers.filter((number) => number >= partition).toReversed();
  const old = candidates.find((number) => own.get(number)?.metadata.labels?.[hashLabel] !== revision);
  const pod = old === undefined ? undefined : own.get(old);
  if (old === undefined || pod === undefined || isTerminating(pod)) return [];
  return firstOpen === undefined || firstOpen === old ? [pod] : [];
}

function ordinalOf(set: ASet, { metadata }: APod): number {
  const prefix = `${set.metadata.name}-`;
  const rest = metadata.name?.startsWith(prefix) ? metadata.name.slice(prefix.length) : '';
  return /^\d+$/.test(rest) ? Number(rest) : -1;
}

function numberedPod(set: ASet, number: number, revision: string): object {
  const name = `${set.metadata.name}-${number}`;
  const pod = podOf(set, set.spec?.template, name) as { metadata: { labels: object }; spec: object };
  return {
    ...pod,
    metadata: {
      ...pod.metadata,
      labels: { ...pod.metadata.labels, [hashLabel]: revision, [nameLabel]: name, [indexLabel]: String(number) },
    },
    spec: { ...pod.spec, hostname: name, subdomain: set.spec?.serviceName ?? '' },
  };
}

function statusOf(set: ASet, own: ReadonlyMap<number, APod>, revision: string, nowMs: number): StatefulSetStatus {
  const alive = [...own.values()].filter((pod) => !isTerminating(pod) && !isFinished(pod));
  const updated = alive.filter((pod) => pod.metadata.labels?.[hashLabel] === revision).length;
  const current = alive.find((pod) => pod.metadata.labels?.[hashLabel] !== revision)?.metadata.labels?.[hashLabel] ?? revision;
  return {
    replicas: alive.length,
    readyReplicas: alive.filter(isReady).length,
    availableReplicas: alive.filter((pod) => isAvailable(pod, set.spec?.minReadySeconds ?? 0, nowMs)).length,
    updatedReplicas: updated,
    currentReplicas: alive.length - (current === revision ? 0 : updated),
    currentRevision: current,
    updateRevision: revision,
    collisionCount: 0,
    observedGeneration: set.metadata.generation ?? 0,
  };
}
