import type { AnyKind, Host, Watches } from '@tappaas/sdk';
import {
  CronJobs,
  DaemonSets,
  Deployments,
  EndpointSlices,
  Jobs,
  Leases,
  Nodes,
  Pods,
  ReplicaSets,
  Services,
  StatefulSets,
} from '../kinds/handles.js';
import { reconcileCronJob } from './cron-job.js';
import { reconcileDaemonSet } from './daemon-set.js';
import { reconcileDeployment } from './deployment.js';
import { reconcileEndpointSlices } from './endpoint-slice.js';
import { reconcileJob } from './job.js';
import { LeaseWatch, nodeOfLease, reconcileNode } from './node-health.js';
import { reconcilePod } from './pod-garbage.js';
import { keyOf, reconcileReplicaSet } from './replica-set.js';
import { KeyMemory } from './key-memory.js';
import { ServiceSelectors } from './service-selectors.js';
import { reconcileStatefulSet } from './stateful-set.js';

/** Interval at which pods are checked for a deleted node, milliseconds. */
const garbageMs = 300_000;

/** Registers the controllers of the cluster's workloads. */
export function registerControllers(host: Pick<Host<unknown>, 'controller'>, engine: string): void {
  const selectors = new ServiceSelectors();
  const leases = new LeaseWatch();
  const daemons = new KeyMemory<true>();
  host.controller({
    kind: Deployments,
    engine,
    watches: [{ kind: ReplicaSets, wakes: 'owner' }],
    reconcile: reconcileDeployment,
  });
  host.controller({ kind: ReplicaSets, engine, watches: [{ kind: Pods, wakes: 'owner' }], reconcile: reconcileReplicaSet });
  host.controller({ kind: Jobs, engine, watches: [{ kind: Pods, wakes: 'owner' }], reconcile: reconcileJob });
  host.controller({ kind: StatefulSets, engine, watches: [{ kind: Pods, wakes: 'owner' }], reconcile: reconcileStatefulSet });
  host.controller({
    kind: DaemonSets,
    engine,
    watches: [
      { kind: Pods, wakes: 'owner' },
      { kind: Nodes, wakes: () => daemons.keys() },
    ],
    async reconcile(set, context) {
      daemons.remember(keyOf(set), true);
      await daemons.prune(async (key) => (await context.asPlugin.get(DaemonSets, key)) !== undefined);
      return reconcileDaemonSet(set, context);
    },
  });
  host.controller({ kind: CronJobs, engine, watches: [{ kind: Jobs, wakes: 'owner' }], reconcile: reconcileCronJob });
  host.controller({
    kind: Services,
    engine,
    watches: [watching({ kind: Pods, wakes: (pod) => selectors.servicesOf(pod) }), { kind: EndpointSlices, wakes: 'owner' }],
    async reconcile(service, context) {
      selectors.remember(service);
      await selectors.prune(async (key) => (await context.asPlugin.get(Services, key)) !== undefined);
      return reconcileEndpointSlices(service, context);
    },
  });
  host.controller({
    kind: Nodes,
    engine,
    watches: [watching({ kind: Leases, wakes: nodeOfLease })],
    reconcile: (node, context) => reconcileNode(node, leases, context),
  });
  host.controller({ kind: Pods, engine, resyncMs: garbageMs, reconcile: reconcilePod });
}

/** A list of watches contains several kinds, so their types are erased here; each `wakes` is only called with objects of its own kind. */
const watching = <W extends AnyKind>(watches: Watches<W>): Watches => watches as Watches;
