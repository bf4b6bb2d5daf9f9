import type { Context, Immutable, KubernetesLease, Node, NodeCondition, Outcome, Pod, Taint } from '@tappaas/sdk';
import { Leases, Nodes, Pods } from '../kinds/handles.js';
import { keyOf, podsMax } from './replica-set.js';
import { writeStatus } from './status-write.js';

/** Namespace of the heartbeat leases of node agents. */
export const leaseNamespace = 'kube-node-lease';

const unreachable: Taint = { key: 'node.kubernetes.io/unreachable', effect: 'NoSchedule' };

/**
 * Tracks whether node agents are alive, by the local time at which their lease was last seen to change.
 *
 * Times in a lease are never compared with the local clock. After a start, every agent has one lease duration to renew its lease.
 */
export class LeaseWatch {
  readonly #seen = new Map<string, { readonly renewTime: string; readonly atMs: number }>();

  /** Time until the lease expires, milliseconds; 0 or less when it has expired. */
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

/**
 * Marks a node whose agent does not respond, keeps new pods away from it, and takes its pods out of traffic; removes the taint once the
 * agent is back.
 */
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

/** The node that a lease belongs to. */
export const nodeOfLease = (lease: Immutable<KubernetesLease>) =>
  lease.metadata.namespace === leaseNamespace ? [{ name: keyOf(lease).name }] : [];
