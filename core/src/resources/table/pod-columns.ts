import { isJsonObject, memberOf, valueAt } from '../schema/json-value.js';
import { humanDuration } from './age.js';
import { ageColumn, column, joined, listAt, nameColumn, numberAt, textAt, type TableColumn } from './table-column.js';

const containerStatuses = (pod: unknown): readonly unknown[] => listAt(pod, ['status', 'containerStatuses']);
const initStatuses = (pod: unknown): readonly unknown[] => listAt(pod, ['status', 'initContainerStatuses']);

/** Returns the names of sidecars: init containers that keep running beside the others. */
function sidecarNames(pod: unknown): ReadonlySet<string> {
  const sidecars = listAt(pod, ['spec', 'initContainers']).filter((container) => textAt(container, 'restartPolicy') === 'Always');
  return new Set(sidecars.map((container) => textAt(container, 'name')));
}

function ready(pod: unknown): string {
  const sidecars = sidecarNames(pod);
  const statuses = [...initStatuses(pod).filter((status) => sidecars.has(textAt(status, 'name'))), ...containerStatuses(pod)];
  const isReady = (status: unknown): boolean => memberOf(status, 'ready') === true && isJsonObject(valueAt(status, ['state', 'running']));
  return `${statuses.filter(isReady).length}/${listAt(pod, ['spec', 'containers']).length + sidecars.size}`;
}

/** Summarizes a pod in one word: the first thing that blocks it, or its phase. */
export function podStatus(pod: unknown): string {
  const held = listAt(pod, ['status', 'conditions']).find((condition) => textAt(condition, 'reason') === 'SchedulingGated');
  const phase = held === undefined ? textAt(pod, 'status', 'reason') || textAt(pod, 'status', 'phase') : 'SchedulingGated';
  const initializing = initProblem(pod);
  const isInitialized = initializing === undefined || hasCondition(pod, 'Initialized');
  const word = (isInitialized ? containersWord(pod) : undefined) ?? initializing ?? phase;
  if (textAt(pod, 'metadata', 'deletionTimestamp') === '') return word;
  if (textAt(pod, 'status', 'reason') === 'NodeLost') return 'Unknown';
  const phaseNow = textAt(pod, 'status', 'phase');
  return phaseNow === 'Succeeded' || phaseNow === 'Failed' ? word : 'Terminating';
}

function initProblem(pod: unknown): string | undefined {
  const sidecars = sidecarNames(pod);
  const all = listAt(pod, ['spec', 'initContainers']).length;
  for (const [index, status] of initStatuses(pod).entries()) {
    const terminated = valueAt(status, ['state', 'terminated']);
    if (isJsonObject(terminated) && terminated['exitCode'] === 0) continue;
    if (sidecars.has(textAt(status, 'name')) && memberOf(status, 'started') === true) continue;
    if (isJsonObject(terminated)) return `Init:${terminatedWord(terminated)}`;
    const waiting = textAt(status, 'state', 'waiting', 'reason');
    return waiting !== '' && waiting !== 'PodInitializing' ? `Init:${waiting}` : `Init:${index}/${all}`;
  }
  return undefined;
}

function terminatedWord(terminated: unknown): string {
  const signal = numberAt(terminated, ['signal']);
  return textAt(terminated, 'reason') || (signal === 0 ? `ExitCode:${numberAt(terminated, ['exitCode'])}` : `Signal:${signal}`);
}

function containersWord(pod: unknown): string | undefined {
  let word: string | undefined;
  let isRunning = false;
  for (const status of containerStatuses(pod).toReversed()) {
    const waiting = textAt(status, 'state', 'waiting', 'reason');
    const terminated = valueAt(status, ['state', 'terminated']);
    if (waiting !== '') word = waiting;
    else if (isJsonObject(terminated)) word = terminatedWord(terminated);
    else if (memberOf(status, 'ready') === true && isJsonObject(valueAt(status, ['state', 'running']))) isRunning = true;
  }
  if (word !== 'Completed' || !isRunning) return word;
  return hasCondition(pod, 'Ready') ? 'Running' : 'NotReady';
}

function hasCondition(pod: unknown, type: string): boolean {
  return listAt(pod, ['status', 'conditions']).some((item) => textAt(item, 'type') === type && textAt(item, 'status') === 'True');
}

function restarts(pod: unknown, nowMs: number): string {
  const sidecars = sidecarNames(pod);
  const initializing = initProblem(pod) !== undefined;
  const counted = initializing
    ? initStatuses(pod)
    : [...initStatuses(pod).filter((status) => sidecars.has(textAt(status, 'name'))), ...containerStatuses(pod)];
  const count = counted.reduce<number>((sum, status) => sum + numberAt(status, ['restartCount']), 0);
  const lastMs = Math.max(...counted.map((status) => Date.parse(textAt(status, 'lastState', 'terminated', 'finishedAt')) || -Infinity));
  return count === 0 || lastMs === -Infinity ? String(count) : `${count} (${humanDuration(nowMs - lastMs)} ago)`;
}

const wide = { priority: 1 };

/** Columns of pods. */
export const podColumns: readonly TableColumn[] = [
  nameColumn,
  column('Ready', 'Containers that are ready, of all that should be.', ready),
  column('Status', 'What best says how the pod is.', podStatus),
  column('Restarts', 'How often containers were restarted, and when last.', restarts),
  ageColumn,
  column(
    'IP',
    'Address of the pod.',
    (pod) => textAt(listAt(pod, ['status', 'podIPs'])[0], 'ip') || textAt(pod, 'status', 'podIP') || '<none>',
    wide,
  ),
  column('Node', 'Node that runs the pod.', (pod) => textAt(pod, 'spec', 'nodeName') || '<none>', wide),
  column(
    'Nominated Node',
    'Node that is being cleared for the pod.',
    (pod) => textAt(pod, 'status', 'nominatedNodeName') || '<none>',
    wide,
  ),
  column('Readiness Gates', 'Gates that are open, of all that the pod has.', gates, wide),
];

function gates(pod: unknown): string {
  const all = listAt(pod, ['spec', 'readinessGates']).map((gate) => textAt(gate, 'conditionType'));
  const isOpen = (type: string): boolean => hasCondition(pod, type);
  return all.length === 0 ? '<none>' : `${all.filter(isOpen).length}/${all.length}`;
}

/** Names and images of the containers of a workload's pods. */
export const containerColumns: readonly TableColumn[] = [
  column('Containers', 'Names of the containers.', (object) => joined(containersOf(object).map((item) => textAt(item, 'name'))), wide),
  column('Images', 'Images of the containers.', (object) => joined(containersOf(object).map((item) => textAt(item, 'image'))), wide),
];

function containersOf(object: unknown): readonly unknown[] {
  const direct = listAt(object, ['spec', 'template', 'spec', 'containers']);
  return direct.length > 0 ? direct : listAt(object, ['spec', 'jobTemplate', 'spec', 'template', 'spec', 'containers']);
}
