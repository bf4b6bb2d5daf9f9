import type { Context, Immutable, Outcome, Pod, StatefulSet } from '@tappaas/sdk';
import { Pods, StatefulSets } from '../kinds/handles.js';
import { selectorText } from '../kinds/label-selector.js';
import { controllerReference } from './naming.js';
import { createOnce, deletePod, podsMax } from './replica-set.js';
import { planStatefulSet } from './stateful-set-plan.js';
import { writeStatus } from './status-write.js';

/** Keeps the set's numbered pods, in order. */
export async function reconcileStatefulSet(set: Immutable<StatefulSet>, context: Context): Promise<Outcome> {
  const { asPlugin, clock } = context;
  const pods: Immutable<Pod>[] = [];
  const query = { namespace: set.metadata.namespace ?? '', labels: selectorText(set.spec?.selector ?? {}), itemsMax: podsMax };
  for await (const pod of asPlugin.list(Pods, query)) pods.push(pod);
  const plan = planStatefulSet(set, pods, clock.nowMs());
  for (const pod of plan.create as { metadata: object }[]) {
    await createOnce(context, { ...pod, metadata: { ...pod.metadata, ownerReferences: [controllerReference(set)] } });
  }
  for (const pod of plan.delete) await deletePod(context, pod);
  await writeStatus(context, StatefulSets, set, plan.status);
  const minReadySeconds = set.spec?.minReadySeconds ?? 0;
  if (minReadySeconds > 0 && plan.status.availableReplicas !== plan.status.readyReplicas) return { againAfterMs: minReadySeconds * 1000 };
}
