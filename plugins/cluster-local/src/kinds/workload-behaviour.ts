import { deny, type Denial, type Immutable, type KindBehaviour, type LabelSelector, type PodTemplate } from '@tappaas/sdk';
import type { CronJobs, DaemonSets, Deployments, Jobs, ReplicaSets, StatefulSets } from './handles.js';
import { parseCron, wallClock } from '../cron-schedule.js';
import { matchesSelector } from './label-selector.js';
import { checkPodSpec, invalid, required } from './pod-checks.js';
import { defaultPodTemplate } from './pod-defaults.js';

interface Workload {
  readonly selector?: Immutable<LabelSelector> | undefined;
  readonly template?: Immutable<PodTemplate> | undefined;
  readonly replicas?: number | undefined;
}

/** Validates what all workloads share: a selector that matches the template and is immutable. */
function checkWorkload(spec: Workload | undefined, previous: Workload | undefined): Denial[] {
  if (spec === undefined) return [required('spec')];
  const denials = checkPodSpec(spec.template?.spec, 'spec.template.spec');
  const { selector, template } = spec;
  const isEmpty = !selector || (Object.keys(selector.matchLabels ?? {}).length === 0 && (selector.matchExpressions ?? []).length === 0);
  if (isEmpty) denials.push(required('spec.selector', 'a selector that names labels'));
  else if (!matchesSelector(selector, template?.metadata?.labels)) {
    denials.push(invalid('spec.template.metadata.labels', 'must carry every label that spec.selector asks for'));
  }
  if ((spec.replicas ?? 0) < 0) denials.push(invalid('spec.replicas', 'expected 0 or more'));
  if (previous && JSON.stringify(previous.selector) !== JSON.stringify(selector)) denials.push(immutable('spec.selector'));
  return denials;
}

const immutable = (field: string): Denial =>
  deny({ field, reason: 'Invalid', message: 'cannot change; delete the object and create it again' });

const restartsAlways = (template: Immutable<PodTemplate> | undefined): Denial[] =>
  template?.spec?.restartPolicy === 'Always'
    ? []
    : [invalid('spec.template.spec.restartPolicy', 'expected Always, because the workload keeps its pods running')];

export const deploymentBehaviour: KindBehaviour<typeof Deployments> = {
  default({ spec }) {
    if (spec === undefined) return;
    spec.replicas ??= 1;
    spec.revisionHistoryLimit ??= 10;
    spec.progressDeadlineSeconds ??= 600;
    spec.strategy ??= {};
    spec.strategy.type ??= 'RollingUpdate';
    if (spec.strategy.type === 'RollingUpdate') {
      spec.strategy.rollingUpdate ??= {};
      spec.strategy.rollingUpdate.maxUnavailable ??= '25%';
      spec.strategy.rollingUpdate.maxSurge ??= '25%';
    }
    defaultPodTemplate(spec.template);
  },
  check(deployment, previous) {
    const { spec } = deployment;
    const denials = [...checkWorkload(spec, previous?.spec), ...restartsAlways(spec?.template)];
    const rolling = spec?.strategy?.rollingUpdate;
    if (spec?.strategy?.type === 'Recreate' && rolling) {
      denials.push(deny({ field: 'spec.strategy.rollingUpdate', reason: 'Forbidden', message: 'has no meaning with type Recreate' }));
    }
    if (rolling && isZero(rolling.maxSurge) && isZero(rolling.maxUnavailable)) {
      denials.push(
        invalid('spec.strategy.rollingUpdate.maxUnavailable', 'may not be 0 when maxSurge is 0: nothing could ever be replaced'),
      );
    }
    if ((spec?.progressDeadlineSeconds ?? 600) <= (spec?.minReadySeconds ?? 0)) {
      denials.push(invalid('spec.progressDeadlineSeconds', 'must be greater than minReadySeconds'));
    }
    return denials;
  },
};

const isZero = (value: number | string | undefined) => value === 0 || value === '0%' || value === '0';

export const replicaSetBehaviour: KindBehaviour<typeof ReplicaSets> = {
  default({ spec }) {
    if (spec === undefined) return;
    spec.replicas ??= 1;
    if (spec.template) defaultPodTemplate(spec.template);
  },
  check: ({ spec }, previous) => [...checkWorkload(spec, previous?.spec), ...restartsAlways(spec?.template)],
};

export const statefulSetBehaviour: KindBehaviour<typeof StatefulSets> = {
  default({ spec }) {
    if (spec === undefined) return;
    spec.replicas ??= 1;
    spec.revisionHistoryLimit ??= 10;
    spec.podManagementPolicy ??= 'OrderedReady';
    spec.updateStrategy ??= {};
    spec.updateStrategy.type ??= 'RollingUpdate';
    if (spec.updateStrategy.type === 'RollingUpdate') {
      spec.updateStrategy.rollingUpdate ??= {};
      spec.updateStrategy.rollingUpdate.partition ??= 0;
    }
    spec.persistentVolumeClaimRetentionPolicy ??= { whenDeleted: 'Retain', whenScaled: 'Retain' };
    defaultPodTemplate(spec.template);
  },
  check: ({ spec }, previous) => [
    ...checkWorkload(spec, previous?.spec),
    ...restartsAlways(spec?.template),
    ...(spec?.volumeClaimTemplates?.length
      ? [invalid('spec.volumeClaimTemplates', 'persistent volumes are not served here; use emptyDir or another cluster')]
      : []),
  ],
};

export const daemonSetBehaviour: KindBehaviour<typeof DaemonSets> = {
  default({ spec }) {
    if (spec === undefined) return;
    spec.revisionHistoryLimit ??= 10;
    spec.updateStrategy ??= {};
    spec.updateStrategy.type ??= 'RollingUpdate';
    if (spec.updateStrategy.type === 'RollingUpdate') {
      spec.updateStrategy.rollingUpdate ??= {};
      spec.updateStrategy.rollingUpdate.maxUnavailable ??= 1;
      spec.updateStrategy.rollingUpdate.maxSurge ??= 0;
    }
    defaultPodTemplate(spec.template);
  },
  check: ({ spec }, previous) => [...checkWorkload(spec, previous?.spec), ...restartsAlways(spec?.template)],
};

/** A job finds its pods by a label with its own uid, unless its author sets a selector. */
export const jobBehaviour: KindBehaviour<typeof Jobs> = {
  default({ metadata, spec }) {
    if (spec === undefined) return;
    if (spec.completions === undefined && spec.parallelism === undefined) {
      spec.completions = 1;
      spec.parallelism = 1;
    }
    spec.parallelism ??= 1;
    spec.backoffLimit ??= 6;
    spec.completionMode ??= 'NonIndexed';
    spec.suspend ??= false;
    spec.podReplacementPolicy ??= 'TerminatingOrFailed';
    if (spec.manualSelector !== true && spec.selector === undefined && metadata.uid !== undefined) {
      spec.selector = { matchLabels: { 'batch.kubernetes.io/controller-uid': metadata.uid } };
      spec.template.metadata ??= {};
      spec.template.metadata.labels = {
        ...spec.template.metadata.labels,
        'batch.kubernetes.io/controller-uid': metadata.uid,
        'batch.kubernetes.io/job-name': metadata.name ?? '',
      };
    }
    defaultPodTemplate(spec.template);
  },
  check: ({ spec }, previous) => [
    ...checkPodSpec(spec?.template.spec, 'spec.template.spec'),
    ...(spec?.template.spec?.restartPolicy === 'Always'
      ? [invalid('spec.template.spec.restartPolicy', 'expected OnFailure or Never, because a job ends')]
      : []),
    ...(spec?.completionMode === 'Indexed'
      ? [invalid('spec.completionMode', 'expected NonIndexed; indexed jobs are not served here')]
      : []),
    ...(previous && JSON.stringify(previous.spec?.template) !== JSON.stringify(spec?.template) ? [immutable('spec.template')] : []),
  ],
};

export const cronJobBehaviour: KindBehaviour<typeof CronJobs> = {
  default({ spec }) {
    spec.concurrencyPolicy ??= 'Allow';
    spec.suspend ??= false;
    spec.successfulJobsHistoryLimit ??= 3;
    spec.failedJobsHistoryLimit ??= 1;
    const template = spec.jobTemplate.spec?.template;
    if (template) defaultPodTemplate(template);
  },
  check: ({ spec }) => [
    ...checkPodSpec(spec.jobTemplate.spec?.template.spec, 'spec.jobTemplate.spec.template.spec'),
    ...denialsOf('spec.schedule', () => parseCron(spec.schedule)),
    ...denialsOf('spec.timeZone', () => wallClock(spec.timeZone ?? 'UTC')),
  ],
};

/** Converts an error that a function throws to a denial of a field. */
function denialsOf(field: string, run: () => unknown): Denial[] {
  try {
    run();
    return [];
  } catch (error) {
    return [invalid(field, error instanceof Error ? error.message : String(error))];
  }
}
