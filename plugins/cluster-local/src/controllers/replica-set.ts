import { isTapError, type Context, type Immutable, type Key, type Outcome, type Pod, type ReplicaSet } from '@tappaas/sdk';
import { Pods, ReplicaSets } from '../kinds/handles.js';
import { selectorText } from '../kinds/label-selector.js';
import { controllerReference } from './naming.js';
import { planReplicaSet, podOf } from './replica-set-plan.js';
import { writeStatus } from './status-write.js';

/** Maximum number of pods of one workload. */
export const podsMax = 10_000;

/** Creates and deletes a replica set's pods until their number is the desired one. */
export async function reconcileReplicaSet(set: Immutable<ReplicaSet>, context: Context): Promise<Outcome> {
  const { asPlugin, clock } = context;
  const namespace = set.metadata.namespace ?? '';
  const labels = selectorText(set.spec?.selector ?? {});
  const pods: Immutable<Pod>[] = [];
  for await (const pod of asPlugin.list(Pods, { namespace, labels, itemsMax: podsMax })) pods.push(pod);
  const plan = planReplicaSet(set, pods, clock.nowMs());
  const owner = controllerReference(set);
  for (const pod of plan.adopt) {
    const { resourceVersion, uid } = pod.metadata;
    await asPlugin.patch(Pods, keyOf(pod), { metadata: { resourceVersion, uid, ownerReferences: [owner] } });
  }
  for (const name of plan.create) {
    const pod = podOf(set, set.spec?.template, name) as { metadata: object };
    await createOnce(context, { ...pod, metadata: { ...pod.metadata, ownerReferences: [owner] } });
  }
  for (const pod of plan.delete) await deletePod(context, pod);
  await writeStatus(context, ReplicaSets, set, plan.status);
  if (plan.againAtMs !== undefined) return { againAfterMs: Math.max(1, plan.againAtMs - clock.nowMs()) };
}

/** Creates a pod; an existing one was created by an earlier attempt of the same plan. */
export async function createOnce(context: Context, pod: object): Promise<void> {
  try {
    await context.asPlugin.create(Pods, pod);
  } catch (error) {
    if (!isTapError(error, 'TAP_OBJECT_EXISTS')) throw error;
  }
}

/** Deletes exactly this pod, if it still exists. */
export async function deletePod(context: Context, pod: Immutable<Pod>): Promise<void> {
  const uid = pod.metadata.uid;
  try {
    await context.asPlugin.delete(Pods, keyOf(pod), uid === undefined ? {} : { uid });
  } catch (error) {
    if (!isTapError(error, 'TAP_OBJECT_NOT_FOUND')) throw error;
  }
}

/** The key of a namespaced object. */
export const keyOf = (object: { readonly metadata: { readonly namespace?: string; readonly name?: string } }): Key => ({
  namespace: object.metadata.namespace ?? '',
  name: object.metadata.name ?? '',
});
