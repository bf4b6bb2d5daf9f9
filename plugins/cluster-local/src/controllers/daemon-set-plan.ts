import type { DaemonSet, DaemonSetStatus, Immutable, Node, Pod, Taint, Toleration } from '@tappaas/sdk';
import { canonicalJson } from '../canonical-json.js';
import { suffixed, wordOf } from './naming.js';
import { isActive, isAvailable, isControlledBy, isFinished, isReady, isTerminating } from './pod-facts.js';
import { podOf } from './replica-set-plan.js';

type ASet = Immutable<DaemonSet>;
type APod = Immutable<Pod>;
type ANode = Immutable<Node>;

/** The actions that give every eligible node one pod. */
export interface DaemonSetPlan {
  readonly create: readonly object[];
  readonly delete: readonly APod[];
  readonly status: DaemonSetStatus;
}

const hashLabel = 'controller-revision-hash';

/** Tolerations of every daemon pod, since it belongs to its node. */
const ownTolerations: readonly Toleration[] = [
  'not-ready',
  'unreachable',
  'unschedulable',
  'disk-pressure',
  'memory-pressure',
  'pid-pressure',
].map((what) => ({ key: `node.kubernetes.io/${what}`, operator: 'Exists' }));

/** Plans from all nodes and the pods of the set's namespace. Pods are pinned to their node by name, and bound by the scheduler. */
export function planDaemonSet(set: ASet, nodes: readonly ANode[], pods: readonly APod[], nowMs: number): DaemonSetPlan {
  const hash = wordOf(canonicalJson(set.spec?.template), 10);
  const own = pods.filter((pod) => isControlledBy(pod, set.metadata.uid));
  const wanted = nodes.filter((node) => fits(set, node)).map(({ metadata }) => metadata.name ?? '');
  const byNode = Map.groupBy(own, nodeOf);
  const fresh = wanted.filter((node) => (byNode.get(node) ?? []).every((pod) => isFinished(pod) && !isTerminating(pod)));
  const isOld = (pod: APod) => pod.metadata.labels?.[hashLabel] !== hash;
  const doubled = [...byNode].flatMap(([node, present]) => {
    const active = present
      .filter(isActive)
      .toSorted((a, b) => Number(isReady(b)) - Number(isReady(a)) || ((a.metadata.name ?? '') < (b.metadata.name ?? '') ? -1 : 1));
    return wanted.includes(node) ? active.slice(1) : active;
  });
  const finished = own.filter((pod) => isFinished(pod) && !isTerminating(pod));
  const minReady = set.spec?.minReadySeconds ?? 0;
  const first = wanted.map((node) => byNode.get(node)?.find(isActive));
  const unavailable = first.filter((pod) => pod === undefined || !isAvailable(pod, minReady, nowMs)).length;
  const outdated = first.filter((pod) => pod !== undefined && isOld(pod)) as APod[];
  const broken = outdated.filter((pod) => !isAvailable(pod, minReady, nowMs));
  const room = Math.max(0, unavailableMax(set, wanted.length) - unavailable);
  const replaced =
    set.spec?.updateStrategy?.type === 'OnDelete' ? [] : [...broken, ...outdated.filter((pod) => !broken.includes(pod)).slice(0, room)];
  return {
    create: fresh.map((node) => daemonPod(set, node, hash, own)),
    delete: [...new Set([...doubled, ...finished, ...replaced])],
    status: {
      desiredNumberScheduled: wanted.length,
      currentNumberScheduled: first.filter((pod) => pod !== undefined).length,
      numberMisscheduled: [...byNode.keys()].filter((node) => !wanted.includes(node)).length,
      numberReady: first.filter((pod) => pod !== undefined && isReady(pod)).length,
      numberAvailable: wanted.length - unavailable,
      numberUnavailable: unavailable,
      updatedNumberScheduled: first.filter((pod) => pod !== undefined && !isOld(pod)).length,
      observedGeneration: set.metadata.generation ?? 0,
    },
  };
}

/** The node of a pod: where it runs, or the one it is pinned to. */
function nodeOf({ spec }: APod): string {
  const terms = spec?.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms ?? [];
  return spec?.nodeName ?? terms[0]?.matchFields?.[0]?.values?.[0] ?? '';
}

function unavailableMax(set: ASet, nodes: number): number {
  const value = set.spec?.updateStrategy?.rollingUpdate?.maxUnavailable ?? 1;
  return Math.max(1, typeof value === 'number' ? value : Math.ceil((Number.parseFloat(value) / 100) * nodes));
}

function fits({ spec }: ASet, { metadata, spec: node }: ANode): boolean {
  const pod = spec?.template.spec;
  const isSelected = Object.entries(pod?.nodeSelector ?? {}).every(([key, value]) => metadata.labels?.[key] === value);
  const tolerations = [...(pod?.tolerations ?? []), ...ownTolerations];
  const isTolerated = (taint: Immutable<Taint>) =>
    taint.effect === 'PreferNoSchedule' || tolerations.some((toleration) => tolerates(toleration, taint));
  return isSelected && metadata.deletionTimestamp === undefined && (node?.taints ?? []).every(isTolerated);
}

const tolerates = ({ key, operator = 'Equal', value = '', effect }: Immutable<Toleration>, taint: Immutable<Taint>): boolean =>
  (effect === undefined || effect === taint.effect) &&
  (key === undefined ? operator === 'Exists' : key === taint.key && (operator === 'Exists' || value === (taint.value ?? '')));

function daemonPod(set: ASet, node: string, hash: string, own: readonly APod[]): object {
  const seen = own.map(({ metadata }) => metadata.uid ?? '').toSorted();
  const pod = podOf(
    set,
    set.spec?.template,
    suffixed(set.metadata.name ?? '', wordOf(canonicalJson([set.metadata.uid, node, seen]), 5)),
  ) as {
    metadata: { labels: object };
    spec: object;
  };
  const required = { nodeSelectorTerms: [{ matchFields: [{ key: 'metadata.name', operator: 'In', values: [node] }] }] };
  return {
    ...pod,
    metadata: { ...pod.metadata, labels: { ...pod.metadata.labels, [hashLabel]: hash } },
    spec: {
      ...pod.spec,
      affinity: { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: required } },
      tolerations: [...(set.spec?.template.spec?.tolerations ?? []), ...ownTolerations],
    },
  };
}
