import type { Context, Immutable, Job, Outcome, Pod } from '@tappaas/sdk';
import { Jobs, Pods } from '../kinds/handles.js';
import { selectorText } from '../kinds/label-selector.js';
import { tolerate } from './endpoint-slice.js';
import { planJob } from './job-plan.js';
import { controllerReference } from './naming.js';
import { podOf } from './replica-set-plan.js';
import { createOnce, deletePod, keyOf, podsMax } from './replica-set.js';
import { writeStatus } from './status-write.js';

/** Runs pods until enough of them have succeeded. */
export async function reconcileJob(job: Immutable<Job>, context: Context): Promise<Outcome> {
  const { asPlugin, clock } = context;
  const pods: Immutable<Pod>[] = [];
  const query = { namespace: job.metadata.namespace ?? '', labels: selectorText(job.spec?.selector ?? {}), itemsMax: podsMax };
  for await (const pod of asPlugin.list(Pods, query)) pods.push(pod);
  const plan = planJob(job, pods, clock.nowMs());
  for (const name of plan.create) {
    const pod = podOf(job, job.spec?.template, name) as { metadata: object };
    await createOnce(context, { ...pod, metadata: { ...pod.metadata, ownerReferences: [controllerReference(job)] } });
  }
  for (const pod of plan.delete) await deletePod(context, pod);
  if (plan.forget) return tolerate('TAP_OBJECT_NOT_FOUND', () => asPlugin.delete(Jobs, keyOf(job)));
  await writeStatus(context, Jobs, job, plan.status);
  if (plan.againAtMs !== undefined) return { againAfterMs: Math.max(1, plan.againAtMs - clock.nowMs()) };
}
