import { isTapError, type Clock, type Immutable, type KubernetesObject, type Logger, type Node, type Pod } from '@tappaas/sdk';
import type { ApiResource } from '../../cluster/api-resource.js';
import type { ClusterClient } from '../../cluster/client.js';
import { clusterSource } from '../../cluster/source.js';
import type { Kernel } from '../../kernel/kernel.js';
import { createBackoff } from '../../queue/backoff.js';
import { createInformer } from '../../reconcile/informer.js';
import { hookedTaps } from '../../schedule/hooked-taps.js';
import type { SchedulingEvent } from '../../schedule/options.js';
import { createScheduler, type Scheduler } from '../../schedule/scheduler.js';
import type { BindOutcome } from '../../schedule/taps.js';
import { sourceBackoff } from '../back-off.js';
import type { ClusterAccess } from './cluster-access.js';
import { namespaceOn } from './cluster-namespaces.js';

/** A running scheduler of one cluster. */
export interface RunningScheduler {
  readonly cluster: string;
  readonly scheduler: Scheduler;
  /** Returns the cluster's namespace for a platform namespace. */
  namespaceOf(namespace: string): Promise<string>;
  stop(): Promise<void>;
}

export interface ClusterSchedulerOptions {
  readonly access: ClusterAccess;
  readonly kernel: Kernel;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Logger;
}

const podResource: ApiResource = { group: '', version: 'v1', plural: 'pods', kind: 'Pod', namespaced: true };
const nodeResource: ApiResource = { group: '', version: 'v1', plural: 'nodes', kind: 'Node', namespaced: false };
const eventResource: ApiResource = { group: '', version: 'v1', plural: 'events', kind: 'Event', namespaced: true };
const bindMsMax = 10_000;
const tapWeight = 1;

/**
 * Schedules pods with `schedulerName: tappaas` on a cluster whose plugin requests mode `bind`: input comes from watches, output goes to the
 * binding subresource.
 */
export function startClusterScheduler(options: ClusterSchedulerOptions): RunningScheduler {
  const { access, kernel, clock, random, log } = options;
  const { client } = access;
  const stopping = new AbortController();
  const taps = () => hookedTaps(kernel.hooks, kernel.registrations(), { weightOf: () => tapWeight });
  const informer = <T extends KubernetesObject>(resource: ApiResource) =>
    createInformer<T>({
      name: `${access.name}/${resource.plural}`,
      source: clusterSource<T>(client, resource),
      clock,
      random,
      backoff: createBackoff(sourceBackoff, random),
      onError: (error) =>
        log.warn('the scheduler lost its cluster and watches it again', { cluster: access.name, resource: resource.plural, error }),
    });
  const pods = informer<Pod>(podResource);
  const nodes = informer<Node>(nodeResource);
  const scheduler = createScheduler({
    clock,
    random,
    taps: taps(),
    bind: (pod, node) => bind(client, pod, node),
    evict: async ({ namespace, name, uid }) => client.delete(podResource, { namespace, name }, { uid }),
    emitEvent: (event) =>
      void writeEvent(client, event, clock, random).catch((error: unknown) => log.debug('an event was not written', { error })),
    setCondition: (pod, condition) =>
      void writeCondition(client, pod, condition, clock).catch((error: unknown) => log.debug('a condition was not written', { error })),
    report: (problem) => log.warn('scheduling problem', { cluster: access.name, ...problem }),
    onRoom: () => pods.resync(),
  });
  nodes.addHandler({
    add: (node) => scheduler.nodeChanged(node),
    update: (node) => scheduler.nodeChanged(node),
    delete: ({ metadata }) => scheduler.nodeDeleted(metadata.name ?? ''),
  });
  pods.addHandler({
    add: (pod) => scheduler.podAdded(pod),
    update: (pod) => scheduler.podChanged(pod),
    delete: (pod) => scheduler.podDeleted(pod),
  });
  const leaveKernel = kernel.onGeneration(() => scheduler.setTaps(taps()));
  const running = [pods.run(stopping.signal), nodes.run(stopping.signal)];
  const synced = Promise.all([pods.synced(stopping.signal), nodes.synced(stopping.signal)]).then(
    () => scheduler.start(),
    () => undefined,
  );
  return {
    cluster: access.name,
    scheduler,
    namespaceOf: (namespace) => namespaceOn(access, namespace),
    async stop() {
      leaveKernel();
      stopping.abort();
      await Promise.all([...running, synced]);
      await scheduler.stop();
    },
  };
}

/** Binds a pod. A conflict or unknown outcome is resolved by reading the pod, whose actual node counts. */
async function bind(client: ClusterClient, pod: Immutable<Pod>, node: string): Promise<BindOutcome> {
  const { name = '', namespace = '', uid = '' } = pod.metadata;
  try {
    await client.bind({ namespace, name, uid }, node, { deadlineMs: bindMsMax });
    return 'bound';
  } catch (error) {
    if (isTapError(error, 'TAP_OBJECT_NOT_FOUND')) return 'gone';
    if (!isTapError(error, 'TAP_OBJECT_CONFLICT') && !isTapError(error, 'TAP_CLUSTER_OUTCOME_UNKNOWN')) throw error;
    const found = await client.find<Pod>(podResource, { namespace, name }, { deadlineMs: bindMsMax });
    if (found === undefined || found.metadata.uid !== uid) return 'gone';
    if (found.spec?.nodeName === node) return 'bound';
    if (found.spec?.nodeName !== undefined) return 'conflict';
    throw error;
  }
}

async function writeEvent(
  client: ClusterClient,
  { pod, type, reason, message }: SchedulingEvent,
  clock: Clock,
  random: () => number,
): Promise<void> {
  const at = new Date(clock.nowMs()).toISOString();
  await client.create(eventResource, {
    apiVersion: 'v1',
    kind: 'Event',
    metadata: { namespace: pod.namespace, name: `${pod.name.slice(0, 200)}.${Math.floor(random() * 2 ** 48).toString(16)}` },
    involvedObject: { apiVersion: 'v1', kind: 'Pod', namespace: pod.namespace, name: pod.name, uid: pod.uid },
    type,
    reason,
    message: message.slice(0, 1024),
    source: { component: 'tappaas-scheduler' },
    firstTimestamp: at,
    lastTimestamp: at,
    count: 1,
  });
}

async function writeCondition(
  client: ClusterClient,
  pod: Immutable<Pod>,
  condition: { readonly status: 'False'; readonly reason: string; readonly message: string },
  clock: Clock,
): Promise<void> {
  const { name = '', namespace = '' } = pod.metadata;
  const known = pod.status?.conditions?.find(({ type }) => type === 'PodScheduled');
  if (known?.reason === condition.reason && known.message === condition.message) return;
  const others = pod.status?.conditions?.filter(({ type }) => type !== 'PodScheduled') ?? [];
  const conditions = [...others, { type: 'PodScheduled', lastTransitionTime: new Date(clock.nowMs()).toISOString(), ...condition }];
  await client.patch(podResource, { namespace, name }, { status: { conditions } }, { subresource: 'status' });
}
