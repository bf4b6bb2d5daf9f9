import type { Context, DaemonSet, Immutable, Node, Pod } from '@tappaas/sdk';
import { DaemonSets, Nodes, Pods } from '../kinds/handles.js';
import { selectorText } from '../kinds/label-selector.js';
import { planDaemonSet } from './daemon-set-plan.js';
import { controllerReference } from './naming.js';
import { createOnce, deletePod, podsMax } from './replica-set.js';
import { writeStatus } from './status-write.js';

/** Keeps one pod on every eligible node. */
export async function reconcileDaemonSet(set: Immutable<DaemonSet>, context: Context): Promise<void> {
  const { asPlugin, clock } = context;
  const nodes: Immutable<Node>[] = [];
  for await (const node of asPlugin.list(Nodes, { itemsMax: podsMax })) nodes.push(node);
  const pods: Immutable<Pod>[] = [];
  const query = { namespace: set.metadata.namespace ?? '', labels: selectorText(set.spec?.selector ?? {}), itemsMax: podsMax };
  for await (const pod of asPlugin.list(Pods, query)) pods.push(pod);
  const plan = planDaemonSet(set, nodes, pods, clock.nowMs());
  for (const pod of plan.create as { metadata: object }[]) {
    await createOnce(context, { ...pod, metadata: { ...pod.metadata, ownerReferences: [controllerReference(set)] } });
  }
  for (const pod of plan.delete) await deletePod(context, pod);
  await writeStatus(context, DaemonSets, set, plan.status);
}
