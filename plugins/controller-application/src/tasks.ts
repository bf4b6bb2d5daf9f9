import { createHash } from 'node:crypto';
import { releaseTask, type CronJob, type Job, type PodTemplate } from '@tappaas/sdk';
import { applicationErrors } from './errors.js';
import { defaultTimeoutSeconds, metadata, objectName, selectorOf, type Place, type Process } from './place.js';

/** Whether a process ends by itself: a release task, or a scheduled task. */
export function isTask({ phase, schedule }: Pick<Process, 'phase' | 'schedule'>): boolean {
  return phase === 'Release' || schedule !== undefined;
}

/** Length of the hash at the end of a release task's name. */
export const taskHashCharacters = 8;
const historyMax = 3;

/**
 * Renders a task. A release task is a Job whose name is derived from its pod template: the same code with the same configuration runs once,
 * whatever else changes. It is not retried automatically, since it may have run partially.
 *
 * @throws CONTROLLER_APPLICATION_NO_BATCH
 */
export function task(process: Process, template: PodTemplate, place: Place): Job | CronJob {
  const { application, facts } = place;
  if (!facts.cluster.profiles.includes('batch')) {
    throw applicationErrors.CONTROLLER_APPLICATION_NO_BATCH({
      message: `cluster ${facts.cluster.name} does not promise the batch profile that process ${process.name} needs`,
    });
  }
  const selector = selectorOf(application, process.name);
  const name = objectName(application, process.name);
  const activeDeadlineSeconds = application.spec.rollout?.timeoutSeconds ?? defaultTimeoutSeconds;
  if (process.schedule !== undefined) {
    return {
      apiVersion: 'batch/v1',
      kind: 'CronJob',
      metadata: metadata(place, name, selector),
      spec: {
        schedule: process.schedule,
        timeZone: process.timeZone ?? 'Etc/UTC',
        concurrencyPolicy: 'Forbid',
        successfulJobsHistoryLimit: historyMax,
        failedJobsHistoryLimit: historyMax,
        jobTemplate: { metadata: { labels: selector }, spec: { backoffLimit: 0, template } },
      },
    };
  }
  const hash = createHash('sha256').update(JSON.stringify(template)).digest('hex').slice(0, taskHashCharacters);
  const described = metadata(place, `${name}-${hash}`, selector);
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: { ...described, annotations: { [releaseTask]: 'true' } },
    spec: { backoffLimit: 0, activeDeadlineSeconds, template },
  };
}
