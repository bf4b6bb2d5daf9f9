import type { CronJob, CronJobStatus, Immutable, Job } from '@tappaas/sdk';
import { lastRun, nextRun, parseCron } from '../cron-schedule.js';
import { controllerReference, suffixed } from './naming.js';
import { isControlledBy } from './pod-facts.js';

type ACron = Immutable<CronJob>;
type AJob = Immutable<Job>;

/** The actions that make a cron job's jobs run on schedule. */
export interface CronJobPlan {
  readonly create?: object;
  readonly delete: readonly AJob[];
  readonly status: CronJobStatus;
  readonly againAtMs?: number;
}

/** Plans from all jobs of the namespace. The name of a job is derived from its scheduled time, so no time runs twice. */
export function planCronJob(cron: ACron, jobs: readonly AJob[], nowMs: number): CronJobPlan {
  const own = jobs.filter((job) => isControlledBy(job, cron.metadata.uid));
  const active = own.filter((job) => endOf(job) === undefined);
  const { due, nextMs } = timesOf(cron, nowMs);
  const policy = cron.spec.concurrencyPolicy ?? 'Allow';
  const isHeld = cron.spec.suspend === true || (policy === 'Forbid' && active.length > 0);
  const create = due !== undefined && !isHeld ? jobAt(cron, due) : undefined;
  const replaced = create !== undefined && policy === 'Replace' ? active : [];
  const lastSchedule = create === undefined ? cron.status?.lastScheduleTime : new Date(due ?? nowMs).toISOString();
  const succeeded = own
    .map((job) => job.status?.completionTime)
    .filter((time) => time !== undefined)
    .toSorted()
    .at(-1);
  const status: CronJobStatus = {
    active: active
      .filter((job) => !replaced.includes(job))
      .map(({ metadata: { name = '', namespace = '', uid = '' } }) => ({ apiVersion: 'batch/v1', kind: 'Job', name, namespace, uid })),
    ...(lastSchedule === undefined ? {} : { lastScheduleTime: lastSchedule }),
    ...(succeeded === undefined ? {} : { lastSuccessfulTime: succeeded }),
  };
  return {
    ...(create === undefined ? {} : { create }),
    delete: [
      ...replaced,
      ...surplus(own, 'Complete', cron.spec.successfulJobsHistoryLimit ?? 3),
      ...surplus(own, 'Failed', cron.spec.failedJobsHistoryLimit ?? 1),
    ],
    status,
    ...(nextMs === undefined || cron.spec.suspend ? {} : { againAtMs: nextMs }),
  };
}

/** The latest time that is due, unless it is past the starting deadline, and the next time; earlier ones that were missed never run. */
function timesOf(cron: ACron, nowMs: number): { readonly due?: number; readonly nextMs?: number } {
  const schedule = parseCron(cron.spec.schedule);
  const zone = cron.spec.timeZone ?? 'UTC';
  const sinceMs = Date.parse(cron.status?.lastScheduleTime ?? cron.metadata.creationTimestamp ?? '') || nowMs;
  const deadlineMs = cron.spec.startingDeadlineSeconds === undefined ? Infinity : cron.spec.startingDeadlineSeconds * 1000;
  const afterMs = Math.max(sinceMs, nowMs - deadlineMs);
  const first = nextRun(schedule, afterMs, zone);
  const isDue = first !== undefined && first <= nowMs;
  const due = isDue ? lastRun(schedule, { afterMs, untilMs: nowMs }, zone) : undefined;
  const next = isDue ? nextRun(schedule, nowMs, zone) : first;
  return { ...(due === undefined ? {} : { due }), ...(next === undefined ? {} : { nextMs: next }) };
}

function jobAt(cron: ACron, atMs: number): object {
  const { metadata, spec } = cron.spec.jobTemplate;
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: {
      name: suffixed(cron.metadata.name ?? '', String(Math.floor(atMs / 60_000))),
      namespace: cron.metadata.namespace,
      labels: metadata?.labels ?? {},
      annotations: { ...metadata?.annotations, 'batch.kubernetes.io/cronjob-scheduled-timestamp': new Date(atMs).toISOString() },
      ownerReferences: [controllerReference(cron)],
    },
    spec,
  };
}

const endOf = (job: AJob) =>
  job.status?.conditions?.find(({ type, status }) => status === 'True' && (type === 'Complete' || type === 'Failed'));

/** The oldest finished jobs of one type beyond the number to keep. */
function surplus(jobs: readonly AJob[], type: 'Complete' | 'Failed', kept: number): readonly AJob[] {
  const finished = jobs.filter((job) => endOf(job)?.type === type && job.metadata.deletionTimestamp === undefined);
  const sorted = finished.toSorted((a, b) => ((a.metadata.creationTimestamp ?? '') < (b.metadata.creationTimestamp ?? '') ? -1 : 1));
  return sorted.slice(0, Math.max(0, sorted.length - kept));
}
