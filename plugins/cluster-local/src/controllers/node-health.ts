import type { Context, Immutable, KubernetesLease, Node, NodeCondition, Outcome, Pod, Taint } from '@tappaas/sdk';
import { Leases, Nodes, Pods } from '../kinds/handles.js';
import { keyOf, podsMax } from './replica-set.js';
import { writeStatus } from './status-write.js';

/** Namespace of the leases by which node agents say that they live. */
export const leaseNamespace = 'kube-node-lease';

const unreachable: Taint = { key: 'node.kubernetes.io/unreachable', effect: 'NoSchedule' };

/**
 * Whether a node's agent lives, by when its lease was last seen to change here.
 *
 * Times in the lease itself are never compared with this clock, and after a start every agent has one lease duration to show up.
 */
export class LeaseWatch {
  readonly #seen = new Map<string, { readonly renewTime: string; readonly atMs: number }>();

  /** How much longer the lease counts, milliseconds; 0 or less when it has run out. */
  leftMs(node: string, lease: Immutable<KubernetesLease> | undefined, nowMs: number): number {
    const renewTime = lease?.spec?.renewTime ?? '';
    const before = this.#seen.get(node);
    const seen = before?.renewTime === renewTime ? before : { renewTime, atMs: nowMs };
    this.#seen.set(node, seen);
    return seen.atMs + (lease?.spec?.leaseDurationSeconds ?? 40) * 1000 - nowMs;
  }

  forget(node: string): void {
    this.#seen.delete(node);
  }
}

/** Marks a node whose agent has gone silent, keeps new pods away from it, and takes its pods out of traffic; undoes it when it is back. */
export async function reconcileNode(node: Immutable<Node>, leases: LeaseWatch, context: Context): Promise<Outcome> {
  const { asPlugin, clock } = context;
  const name = node.metadata.name ?? '';
  if (node.metadata.deletionTimestamp !== undefined) return leases.forget(name);
  const lease = await asPlugin.get(Leases, { namespace: leaseNamespace, name });
  const nowMs = clock.nowMs();
  const leftMs = leases.leftMs(name, lease, nowMs);
  if (leftMs > 0) {
    if (isReady(node)) await setTaint(node, false, context);
    return { againAfterMs: leftMs };
  }
  await setTaint(node, true, context);
  await writeStatus(context, Nodes, node, { conditions: silentConditions(node, nowMs) });
  await markPods(name, nowMs, context);
}

const isReady = (node: Immutable<Node>) =>
  node.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') === true;

function silentConditions(node: Immutable<Node>, nowMs: number): readonly Immutable<NodeCondition>[] {
  const message = 'the node agent has stopped renewing its lease; the platform starts it again';
  const silent = (condition: Immutable<NodeCondition>): Immutable<NodeCondition> =>
    condition.status === 'Unknown'
      ? condition
      : { ...condition, status: 'Unknown', reason: 'NodeStatusUnknown', message, lastTransitionTime: new Date(nowMs).toISOString() };
  const present = node.status?.conditions ?? [];
  return (present.some(({ type }) => type === 'Ready') ? present : [...present, { type: 'Ready', status: 'True' }]).map(silent);
}

async function setTaint(node: Immutable<Node>, wanted: boolean, { asPlugin }: Context): Promise<void> {
  const taints = node.spec?.taints ?? [];
  const others = taints.filter(({ key }) => key !== unreachable.key);
  if (others.length < taints.length === wanted) return;
  const { resourceVersion, name = '' } = node.metadata;
  await asPlugin.patch(Nodes, { name }, { metadata: { resourceVersion }, spec: { taints: wanted ? [...others, unreachable] : others } });
}

async function markPods(node: string, nowMs: number, context: Context): Promise<void> {
  for await (const pod of context.asPlugin.list(Pods, { fields: `spec.nodeName=${node}`, itemsMax: podsMax })) {
    const conditions = pod.status?.conditions ?? [];
    if (!conditions.some(({ type, status }) => type === 'Ready' && status === 'True')) continue;
    await writeStatus(context, Pods, pod, {
      conditions: conditions.map((condition) => (condition.type === 'Ready' ? unknownReady(condition, nowMs) : condition)),
    });
  }
}

type PodCondition = NonNullable<NonNullable<Immutable<Pod>['status']>['conditions']>[number];

const unknownReady = (condition: PodCondition, nowMs: number): PodCondition => ({
  ...condition,
  status: 'False',
  reason: 'NodeUnknown',
  message: 'the agent of its node is silent',
  lastTransitionTime: new Date(nowMs).toISOString(),
});

/** The node that a lease is about. */
export const nodeOfLease = (lease: Immutable<KubernetesLease>) =>
  lease.metadata.namespace === leaseNamespace ? [{ name: keyOf(lease).name }] : [];
