import type { Context, CronJob, Immutable, Job, Outcome } from '@tappaas/sdk';
import { CronJobs, Jobs } from '../kinds/handles.js';
import { planCronJob } from './cron-job-plan.js';
import { tolerate } from './endpoint-slice.js';
import { keyOf, podsMax } from './replica-set.js';
import { writeStatus } from './status-write.js';

/** Creates a job at each time of the schedule, and deletes jobs beyond the history limits. */
export async function reconcileCronJob(cron: Immutable<CronJob>, context: Context): Promise<Outcome> {
  const { asPlugin, clock } = context;
  const jobs: Immutable<Job>[] = [];
  for await (const job of asPlugin.list(Jobs, { namespace: cron.metadata.namespace ?? '', itemsMax: podsMax })) jobs.push(job);
  const { create, delete: surplus, status, againAtMs } = planCronJob(cron, jobs, clock.nowMs());
  for (const job of surplus)
    await tolerate('TAP_OBJECT_NOT_FOUND', () =>
      asPlugin.delete(Jobs, keyOf(job), job.metadata.uid === undefined ? {} : { uid: job.metadata.uid }),
    );
  if (create !== undefined) await tolerate('TAP_OBJECT_EXISTS', () => asPlugin.create(Jobs, create));
  await writeStatus(context, CronJobs, cron, status);
  if (againAtMs !== undefined) return { againAfterMs: Math.max(1, againAtMs - clock.nowMs()) };
}
