import type { Immutable, Job, JobCondition, JobStatus, Pod } from '@tappaas/sdk';
import { canonicalJson } from '../canonical-json.js';
import { suffixed, wordOf } from './naming.js';
import { isActive, isControlledBy, isReady, isTerminating } from './pod-facts.js';

type AJob = Immutable<Job>;
type APod = Immutable<Pod>;

/** The next actions for a job. */
export interface JobPlan {
  readonly create: readonly string[];
  readonly delete: readonly APod[];
  readonly status: JobStatus;
  /** Whether the job finished longer ago than its time to live, so that it is to be deleted. */
  readonly forget: boolean;
  readonly againAtMs?: number;
}

const retryFirstMs = 10_000;
const retryMostMs = 360_000;

/** Plans from the job's pods. They are kept until the job is deleted, so that counting them is exact. */
export function planJob(job: AJob, pods: readonly APod[], nowMs: number): JobPlan {
  const own = pods.filter((pod) => isControlledBy(pod, job.metadata.uid));
  const active = own.filter(isActive);
  const succeeded = own.filter(({ status }) => status?.phase === 'Succeeded').length;
  const failures = own.filter(({ status }) => status?.phase === 'Failed');
  const counts = {
    active: active.length,
    ready: active.filter(isReady).length,
    succeeded,
    failed: failures.length,
    terminating: own.filter(isTerminating).length,
  };
  const over = overCondition(job);
  if (over) return planOver(job, over, active, counts, nowMs);
  const startedAt = job.spec?.suspend ? undefined : (job.status?.startTime ?? new Date(nowMs).toISOString());
  const verdict = verdictOf(job, succeeded, failures.length, own, startedAt, nowMs);
  const status: JobStatus = { ...counts, ...(startedAt === undefined ? {} : { startTime: startedAt }) };
  if (verdict) {
    const now = new Date(nowMs).toISOString();
    const conditions: JobCondition[] = [{ ...verdict, status: 'True', lastTransitionTime: now, lastProbeTime: now }];
    return {
      create: [],
      delete: active,
      status: { ...status, conditions, ...(verdict.type === 'Complete' ? { completionTime: now } : {}) },
      forget: false,
    };
  }
  if (job.spec?.suspend || job.metadata.deletionTimestamp !== undefined) return { create: [], delete: active, status, forget: false };
  return { ...nextPods(job, own, active, succeeded, failures, nowMs), status, forget: false };
}

/** How many pods to create or delete now, and when to plan again. */
function nextPods(job: AJob, own: readonly APod[], active: readonly APod[], succeeded: number, failures: readonly APod[], nowMs: number) {
  const parallelism = job.spec?.parallelism ?? 1;
  const completions = job.spec?.completions;
  const wished = completions === undefined ? (succeeded > 0 ? active.length : parallelism) : Math.min(parallelism, completions - succeeded);
  const deadlineAtMs = deadlineOf(job, job.status?.startTime ?? new Date(nowMs).toISOString());
  if (active.length > wished) return { create: [], delete: active.slice(wished), ...at(deadlineAtMs) };
  const retryAtMs = Math.max(0, ...failures.map((pod) => finishedAtMs(pod, nowMs))) + backoffMs(failures.length);
  const isWaiting = failures.length > 0 && retryAtMs > nowMs;
  const seed = canonicalJson([job.metadata.uid, own.map(({ metadata }) => metadata.uid ?? '').toSorted()]);
  const count = isWaiting ? 0 : wished - active.length;
  const create = Array.from({ length: count }, (_, index) => suffixed(job.metadata.name ?? '', wordOf(`${seed}#${index}`, 5)));
  return { create, delete: [], ...at(Math.min(deadlineAtMs, isWaiting ? retryAtMs : Infinity)) };
}

const at = (againAtMs: number): { againAtMs?: number } => (Number.isFinite(againAtMs) ? { againAtMs } : {});

/** Delay before a retry: 10 s after the first failure, doubling up to six minutes. */
const backoffMs = (failures: number): number =>
  failures === 0 ? 0 : Math.min(retryFirstMs * 2 ** Math.min(failures - 1, 20), retryMostMs);

function finishedAtMs(pod: APod, nowMs: number): number {
  const times = (pod.status?.containerStatuses ?? []).map(({ state }) => Date.parse(state?.terminated?.finishedAt ?? ''));
  const latest = Math.max(...times.filter((time) => !Number.isNaN(time)));
  return Number.isFinite(latest) ? latest : nowMs;
}

const deadlineOf = (job: AJob, startedAt: string): number => {
  const seconds = job.spec?.activeDeadlineSeconds;
  return seconds === undefined ? Infinity : Date.parse(startedAt) + seconds * 1000;
};

type Verdict = Pick<JobCondition, 'type' | 'reason' | 'message'>;

function verdictOf(
  job: AJob,
  succeeded: number,
  failed: number,
  own: readonly APod[],
  startedAt: string | undefined,
  nowMs: number,
): Verdict | undefined {
  const completions = job.spec?.completions;
  const isComplete = completions === undefined ? succeeded > 0 && own.every((pod) => !isActive(pod)) : succeeded >= completions;
  if (isComplete) return { type: 'Complete', reason: 'CompletionsReached', message: `${succeeded} pods succeeded` };
  const limit = job.spec?.backoffLimit ?? 6;
  const restarts = own.reduce(
    (sum, pod) => sum + (pod.status?.containerStatuses ?? []).reduce((all, { restartCount }) => all + restartCount, 0),
    0,
  );
  const tries = failed + (job.spec?.template.spec?.restartPolicy === 'OnFailure' ? restarts : 0);
  if (tries > limit) return { type: 'Failed', reason: 'BackoffLimitExceeded', message: `${tries} tries failed, backoffLimit is ${limit}` };
  if (startedAt !== undefined && nowMs >= deadlineOf(job, startedAt)) {
    return { type: 'Failed', reason: 'DeadlineExceeded', message: `not done after ${job.spec?.activeDeadlineSeconds} s` };
  }
  return undefined;
}

const overCondition = (job: AJob): Immutable<JobCondition> | undefined =>
  job.status?.conditions?.find(({ type, status }) => (type === 'Complete' || type === 'Failed') && status === 'True');

function planOver(job: AJob, over: Immutable<JobCondition>, active: readonly APod[], counts: JobStatus, nowMs: number): JobPlan {
  const ttl = job.spec?.ttlSecondsAfterFinished;
  const deletedAtMs = ttl === undefined ? Infinity : Date.parse(over.lastTransitionTime ?? '') + ttl * 1000;
  const isDue = nowMs >= deletedAtMs;
  return { create: [], delete: active, status: counts, forget: isDue, ...(isDue ? {} : at(deletedAtMs)) };
}
