import { isJsonObject, valueAt } from '../schema/json-value.js';
import { ageOf } from './age.js';
import {
  ageColumn,
  column,
  countColumn,
  fieldColumn,
  joined,
  listAt,
  nameColumn,
  numberAt,
  textAt,
  textOf,
  type TableColumn,
} from './table-column.js';

const entriesAt = (object: unknown, name: string): number => {
  const entries = valueAt(object, [name]);
  return isJsonObject(entries) ? Object.keys(entries).length : 0;
};
const wide = { priority: 1 };

export const namespaceColumns: readonly TableColumn[] = [
  nameColumn,
  fieldColumn('Status', 'Whether it is in use or being deleted.', 'status.phase'),
  ageColumn,
];

export const configMapColumns: readonly TableColumn[] = [
  nameColumn,
  column('Data', 'Number of entries.', (object) => entriesAt(object, 'data') + entriesAt(object, 'binaryData'), { type: 'integer' }),
  ageColumn,
];

export const secretColumns: readonly TableColumn[] = [
  nameColumn,
  fieldColumn('Type', 'What sort of secret it is.', 'type'),
  column('Data', 'Number of entries.', (object) => entriesAt(object, 'data'), { type: 'integer' }),
  ageColumn,
];

export const serviceAccountColumns: readonly TableColumn[] = [
  nameColumn,
  column('Secrets', 'Number of secrets that its pods may use.', (object) => listAt(object, ['secrets']).length, { type: 'integer' }),
  ageColumn,
];

const rolePrefix = 'node-role.kubernetes.io/';

export const nodeColumns: readonly TableColumn[] = [
  nameColumn,
  column('Status', 'Whether the node is ready and takes pods.', nodeStatus),
  column('Roles', 'Roles of the node.', nodeRoles),
  ageColumn,
  column('Version', 'Version of its agent.', (object) => textAt(object, 'status', 'nodeInfo', 'kubeletVersion')),
  column('Internal-IP', 'Address inside of the cluster.', (object) => addressOf(object, 'InternalIP'), wide),
  column('External-IP', 'Address from outside.', (object) => addressOf(object, 'ExternalIP'), wide),
  fieldColumn('OS-Image', 'Operating system.', 'status.nodeInfo.osImage', { wide: true, without: '<unknown>' }),
  fieldColumn('Kernel-Version', 'Version of the kernel.', 'status.nodeInfo.kernelVersion', { wide: true, without: '<unknown>' }),
  fieldColumn('Container-Runtime', 'What runs the containers.', 'status.nodeInfo.containerRuntimeVersion', {
    wide: true,
    without: '<unknown>',
  }),
];

function nodeStatus(node: unknown): string {
  const ready = listAt(node, ['status', 'conditions']).find((item) => textAt(item, 'type') === 'Ready');
  const word = ready === undefined ? 'Unknown' : textAt(ready, 'status') === 'True' ? 'Ready' : 'NotReady';
  return valueAt(node, ['spec', 'unschedulable']) === true ? `${word},SchedulingDisabled` : word;
}

function nodeRoles(node: unknown): string {
  const labels = valueAt(node, ['metadata', 'labels']);
  const roles = Object.entries(isJsonObject(labels) ? labels : {}).flatMap(([key, value]) => {
    if (key.startsWith(rolePrefix)) return [key.slice(rolePrefix.length)];
    return key === 'kubernetes.io/role' ? [textOf(value)] : [];
  });
  return joined([...new Set(roles)].sort());
}

const addressOf = (node: unknown, type: string): string =>
  textAt(
    listAt(node, ['status', 'addresses']).find((item) => textAt(item, 'type') === type),
    'address',
  ) || '<none>';

export const eventColumns: readonly TableColumn[] = [
  column('Last Seen', 'Time since it happened last.', (event, nowMs) => ageOf(lastSeen(event), nowMs)),
  fieldColumn('Type', 'Normal or Warning.', 'type'),
  fieldColumn('Reason', 'Why it happened, in one word.', 'reason'),
  column('Object', 'What it happened to.', (event) => `${involved(event, 'kind').toLowerCase()}/${involved(event, 'name')}`),
  column('Subobject', 'Part of the object.', (event) => involved(event, 'fieldPath'), wide),
  column('Source', 'Component that reports the event.', eventSource, wide),
  column('Message', 'What happened.', (event) => (textAt(event, 'message') || textAt(event, 'note')).trim()),
  column(
    'First Seen',
    'Time since it happened first.',
    (event, nowMs) =>
      ageOf(textAt(event, 'firstTimestamp') || textAt(event, 'deprecatedFirstTimestamp') || textAt(event, 'eventTime'), nowMs),
    wide,
  ),
  column(
    'Count',
    'How often it happened.',
    (event) => numberAt(event, ['series', 'count']) || numberAt(event, ['count']) || numberAt(event, ['deprecatedCount']) || 1,
    { ...wide, type: 'integer' },
  ),
  { ...nameColumn, priority: 1 },
];

/** Returns a field of the object that an event is about; the two event APIs name it differently. */
const involved = (event: unknown, name: string): string => textAt(event, 'involvedObject', name) || textAt(event, 'regarding', name);

const lastSeen = (event: unknown): string =>
  textAt(event, 'series', 'lastObservedTime') ||
  textAt(event, 'lastTimestamp') ||
  textAt(event, 'deprecatedLastTimestamp') ||
  textAt(event, 'firstTimestamp') ||
  textAt(event, 'eventTime');

function eventSource(event: unknown): string {
  const component = textAt(event, 'source', 'component') || textAt(event, 'reportingComponent') || textAt(event, 'reportingController');
  const host = textAt(event, 'source', 'host') || textAt(event, 'reportingInstance');
  return host === '' ? component : `${component}, ${host}`;
}

export const leaseColumns: readonly TableColumn[] = [
  nameColumn,
  column('Holder', 'Who holds it.', (object) => textAt(object, 'spec', 'holderIdentity')),
  ageColumn,
];

export const priorityClassColumns: readonly TableColumn[] = [
  nameColumn,
  countColumn('Value', 'The priority; higher goes first.', 'value'),
  column('Global-Default', 'Whether pods without a class get it.', (object) => valueAt(object, ['globalDefault']) === true, {
    type: 'boolean',
  }),
  ageColumn,
  fieldColumn('PreemptionPolicy', 'Whether its pods may push out others.', 'preemptionPolicy', { without: 'PreemptLowerPriority' }),
];

export const resourceQuotaColumns: readonly TableColumn[] = [
  nameColumn,
  column('Request', 'Used and allowed amounts.', (object) => quotaText(object, (name) => !name.startsWith('limits.'))),
  column('Limit', 'Used and allowed limits.', (object) => quotaText(object, (name) => name.startsWith('limits.'))),
  ageColumn,
];

function quotaText(quota: unknown, isShown: (name: string) => boolean): string {
  const hard = valueAt(quota, ['status', 'hard']);
  const names = isJsonObject(hard) ? Object.keys(hard).filter(isShown).sort() : [];
  return names
    .map((name) => `${name}: ${textAt(quota, 'status', 'used', name) || '0'}/${textAt(quota, 'status', 'hard', name)}`)
    .join(', ');
}
