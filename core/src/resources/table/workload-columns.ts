import { valueAt } from '../schema/json-value.js';
import { ageOf, humanDuration } from './age.js';
import { containerColumns } from './pod-columns.js';
import {
  ageColumn,
  column,
  countColumn,
  fieldColumn,
  labelsText,
  listAt,
  nameColumn,
  numberAt,
  selectorText,
  textAt,
  type TableColumn,
} from './table-column.js';

const selectorColumn = column(
  'Selector',
  'Labels of the pods it is about.',
  (object) => selectorText(valueAt(object, ['spec', 'selector'])),
  { priority: 1 },
);
const wideColumns = [...containerColumns, selectorColumn];
const readyOf = (object: unknown): string => `${numberAt(object, ['status', 'readyReplicas'])}/${numberAt(object, ['spec', 'replicas'])}`;

export const deploymentColumns: readonly TableColumn[] = [
  nameColumn,
  column('Ready', 'Pods that are ready, of those wished.', readyOf),
  countColumn('Up-to-date', 'Pods of the current template.', 'status.updatedReplicas'),
  countColumn('Available', 'Pods that have been ready for long enough.', 'status.availableReplicas'),
  ageColumn,
  ...wideColumns,
];

export const replicaSetColumns: readonly TableColumn[] = [
  nameColumn,
  countColumn('Desired', 'Pods wished.', 'spec.replicas'),
  countColumn('Current', 'Pods that exist.', 'status.replicas'),
  countColumn('Ready', 'Pods that are ready.', 'status.readyReplicas'),
  ageColumn,
  ...wideColumns,
];

export const statefulSetColumns: readonly TableColumn[] = [
  nameColumn,
  column('Ready', 'Pods that are ready, of those wished.', readyOf),
  ageColumn,
  ...containerColumns,
];

export const daemonSetColumns: readonly TableColumn[] = [
  nameColumn,
  countColumn('Desired', 'Nodes that should run the pod.', 'status.desiredNumberScheduled'),
  countColumn('Current', 'Nodes that run it.', 'status.currentNumberScheduled'),
  countColumn('Ready', 'Nodes on which it is ready.', 'status.numberReady'),
  countColumn('Up-to-date', 'Nodes with a pod of the current template.', 'status.updatedNumberScheduled'),
  countColumn('Available', 'Nodes on which it has been ready for long enough.', 'status.numberAvailable'),
  column('Node Selector', 'Labels of the nodes it is for.', (object) =>
    labelsText(valueAt(object, ['spec', 'template', 'spec', 'nodeSelector'])),
  ),
  ageColumn,
  ...wideColumns,
];

export const jobColumns: readonly TableColumn[] = [
  nameColumn,
  column('Status', 'How the job is.', jobStatus),
  column('Completions', 'Pods that have succeeded, of those wished.', completions),
  column('Duration', 'How long the job has run.', jobDuration),
  ageColumn,
  ...wideColumns,
];

function jobStatus(job: unknown): string {
  const isTrue = (type: string): boolean =>
    listAt(job, ['status', 'conditions']).some((item) => textAt(item, 'type') === type && textAt(item, 'status') === 'True');
  if (isTrue('Complete')) return 'Complete';
  if (isTrue('Failed')) return 'Failed';
  if (textAt(job, 'metadata', 'deletionTimestamp') !== '') return 'Terminating';
  if (isTrue('Suspended')) return 'Suspended';
  if (isTrue('FailureTarget')) return 'FailureTarget';
  return isTrue('SuccessCriteriaMet') ? 'SuccessCriteriaMet' : 'Running';
}

function completions(job: unknown): string {
  const succeeded = numberAt(job, ['status', 'succeeded']);
  if (valueAt(job, ['spec', 'completions']) !== undefined) return `${succeeded}/${numberAt(job, ['spec', 'completions'])}`;
  const parallelism = numberAt(job, ['spec', 'parallelism']);
  return parallelism > 1 ? `${succeeded}/1 of ${parallelism}` : `${succeeded}/1`;
}

function jobDuration(job: unknown, nowMs: number): string {
  const startMs = Date.parse(textAt(job, 'status', 'startTime'));
  const endMs = Date.parse(textAt(job, 'status', 'completionTime'));
  if (Number.isNaN(startMs)) return '';
  return humanDuration((Number.isNaN(endMs) ? nowMs : endMs) - startMs);
}

export const cronJobColumns: readonly TableColumn[] = [
  nameColumn,
  fieldColumn('Schedule', 'When a job is made, in cron notation.', 'spec.schedule'),
  fieldColumn('Timezone', 'Time zone of the schedule.', 'spec.timeZone'),
  column('Suspend', 'Whether no more jobs are made.', (object) => (valueAt(object, ['spec', 'suspend']) === true ? 'True' : 'False')),
  column('Active', 'Jobs that run now.', (object) => listAt(object, ['status', 'active']).length, { type: 'integer' }),
  column('Last Schedule', 'Time since a job was made.', (object, nowMs) => {
    const last = textAt(object, 'status', 'lastScheduleTime');
    return last === '' ? '<none>' : ageOf(last, nowMs);
  }),
  ageColumn,
  ...wideColumns,
];

export const controllerRevisionColumns: readonly TableColumn[] = [
  nameColumn,
  column('Controller', 'Workload that the revision belongs to.', (object) => {
    const owner = listAt(object, ['metadata', 'ownerReferences']).find((item) => valueAt(item, ['controller']) === true);
    return owner === undefined ? '<none>' : ownerText(textAt(owner, 'apiVersion'), textAt(owner, 'kind'), textAt(owner, 'name'));
  }),
  countColumn('Revision', 'Number of the revision.', 'revision'),
  ageColumn,
];

function ownerText(apiVersion: string, kind: string, name: string): string {
  const group = apiVersion.includes('/') ? `.${apiVersion.split('/')[0]}` : '';
  return `${kind.toLowerCase()}${group}/${name}`;
}

export const autoscalerColumns: readonly TableColumn[] = [
  nameColumn,
  column(
    'Reference',
    'Workload whose replicas are changed.',
    (object) => `${textAt(object, 'spec', 'scaleTargetRef', 'kind')}/${textAt(object, 'spec', 'scaleTargetRef', 'name')}`,
  ),
  column('Targets', 'Current and wished value of each metric.', targets),
  column('MinPods', 'Fewest replicas.', (object) => textAt(object, 'spec', 'minReplicas') || '<unset>'),
  countColumn('MaxPods', 'Most replicas.', 'spec.maxReplicas'),
  countColumn('Replicas', 'Replicas now.', 'status.currentReplicas'),
  ageColumn,
];

const metricsShownMax = 2;

function targets(object: unknown): string {
  const current = listAt(object, ['status', 'currentMetrics']);
  const texts = listAt(object, ['spec', 'metrics']).map((metric, index) => metricText(metric, current[index]));
  if (texts.length === 0) return '<none>';
  const more = texts.length > metricsShownMax ? ` + ${texts.length - metricsShownMax} more...` : '';
  return `${texts.slice(0, metricsShownMax).join(', ')}${more}`;
}

function metricText(metric: unknown, current: unknown): string {
  const type = textAt(metric, 'type');
  const source = type.charAt(0).toLowerCase() + type.slice(1);
  const name = source === 'resource' || source === 'containerResource' ? `${textAt(metric, source, 'name')}: ` : '';
  const valueOf = (holder: unknown, part: string): string => {
    const percent = textAt(holder, source, part, 'averageUtilization');
    if (percent !== '') return `${percent}%`;
    const average = textAt(holder, source, part, 'averageValue');
    return average === '' ? textAt(holder, source, part, 'value') : `${average}${name === '' ? ' (avg)' : ''}`;
  };
  return `${name}${valueOf(current, 'current') || '<unknown>'}/${valueOf(metric, 'target') || '<auto>'}`;
}

export const disruptionBudgetColumns: readonly TableColumn[] = [
  nameColumn,
  fieldColumn('Min Available', 'Pods that must stay.', 'spec.minAvailable', { without: 'N/A' }),
  fieldColumn('Max Unavailable', 'Pods that may be missing.', 'spec.maxUnavailable', { without: 'N/A' }),
  countColumn('Allowed Disruptions', 'Pods that may be disturbed now.', 'status.disruptionsAllowed'),
  ageColumn,
];
