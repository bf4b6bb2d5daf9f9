import test from 'ava';
import type { DaemonSet, Immutable, Node, Pod, StatefulSet } from '@tappaas/sdk';
import { planDaemonSet } from '../dist/controllers/daemon-set-plan.js';
import { planStatefulSet } from '../dist/controllers/stateful-set-plan.js';

interface PodState {
  readonly labels?: Record<string, string>;
  readonly node?: string;
  readonly ready?: boolean;
  readonly phase?: 'Running' | 'Failed';
  readonly deleted?: boolean;
}

const podOf = (
  owner: string,
  name: string,
  { labels = {}, node = 'a', ready = true, phase = 'Running', deleted = false }: PodState = {},
): Immutable<Pod> => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: {
    name,
    uid: name,
    namespace: 'default',
    labels,
    ownerReferences: [{ apiVersion: 'apps/v1', kind: 'x', name: owner, uid: owner, controller: true }],
    ...(deleted ? { deletionTimestamp: 'now' } : {}),
  },
  spec: { nodeName: node, containers: [] },
  status: { phase, conditions: [{ type: 'Ready', status: ready ? 'True' : 'False', lastTransitionTime: '2026-01-01T00:00:00Z' }] },
});

const template = (version: string, spec: object = {}) => ({
  metadata: { labels: { app: 'x' } },
  spec: { containers: [{ name: 'c', image: version }], ...spec },
});
const names = (pods: readonly object[]) => pods.map((pod) => (pod as { metadata: { name: string } }).metadata.name);
const revisionLabel = 'controller-revision-hash';

const statefulSet = (replicas: number, version = 'one', more: object = {}): Immutable<StatefulSet> => ({
  apiVersion: 'apps/v1',
  kind: 'StatefulSet',
  metadata: { name: 'db', uid: 'db', namespace: 'default', generation: 1 },
  spec: { replicas, selector: { matchLabels: { app: 'x' } }, template: template(version), ...more },
});

test('numbered pods come one after the other, each when the one before is available, and go in reverse', (t) => {
  const plan = (replicas: number, pods: readonly Immutable<Pod>[], more = {}) =>
    planStatefulSet(statefulSet(replicas, 'one', more), pods, Date.now());
  const revision = plan(1, []).status.updateRevision ?? '';
  const pod = (index: number, more: PodState = {}) => podOf('db', `db-${index}`, { labels: { [revisionLabel]: revision }, ...more });
  t.deepEqual(names(plan(3, []).create), ['db-0']);
  t.deepEqual(names(plan(3, [pod(0, { ready: false })]).create), []);
  t.deepEqual(names(plan(3, [pod(0)]).create), ['db-1']);
  t.deepEqual(names(plan(3, [], { podManagementPolicy: 'Parallel' }).create), ['db-0', 'db-1', 'db-2']);
  t.deepEqual(names(plan(1, [pod(0), pod(1), pod(2)]).delete), ['db-2']);
  t.deepEqual(names(plan(1, [pod(0), pod(1), pod(2, { deleted: true })]).delete), []);
  t.deepEqual(names(plan(2, [pod(0, { phase: 'Failed', ready: false }), pod(1)]).delete), ['db-0']);
});

test('an update replaces numbered pods from the highest down to the partition, one at a time', (t) => {
  const revisionOf = (version: string) => planStatefulSet(statefulSet(1, version), [], 0).status.updateRevision ?? '';
  const [old, fresh] = [revisionOf('one'), revisionOf('two')];
  const pod = (index: number, revision: string, ready = true) =>
    podOf('db', `db-${index}`, { labels: { [revisionLabel]: revision }, ready });
  const plan = (pods: readonly Immutable<Pod>[], more = {}) => names(planStatefulSet(statefulSet(3, 'two', more), pods, Date.now()).delete);
  t.deepEqual(plan([pod(0, old), pod(1, old), pod(2, old)]), ['db-2']);
  t.deepEqual(plan([pod(0, old), pod(1, old), pod(2, fresh, false)]), []);
  t.deepEqual(plan([pod(0, old), pod(1, old), pod(2, fresh)]), ['db-1']);
  t.deepEqual(plan([pod(0, old), pod(1, old), pod(2, old, false)]), ['db-2'], 'a broken one may be replaced');
  t.deepEqual(plan([pod(0, old), pod(1, old), pod(2, fresh)], { updateStrategy: { rollingUpdate: { partition: 2 } } }), []);
  t.deepEqual(plan([pod(0, old), pod(1, old), pod(2, old)], { updateStrategy: { type: 'OnDelete' } }), []);
});

const node = (name: string, spec: object = {}, labels = {}): Immutable<Node> => ({
  apiVersion: 'v1',
  kind: 'Node',
  metadata: { name, labels },
  spec,
});
const daemonSet = (version = 'one', spec: object = {}): Immutable<DaemonSet> => ({
  apiVersion: 'apps/v1',
  kind: 'DaemonSet',
  metadata: { name: 'agent', uid: 'agent', namespace: 'default' },
  spec: { selector: { matchLabels: { app: 'x' } }, template: template(version, spec) },
});

test('every node that fits has one pod of a daemon, pinned to it', (t) => {
  const nodes = [
    node('a'),
    node('b', { taints: [{ key: 'gpu', effect: 'NoSchedule' }] }),
    node('c', { taints: [{ key: 'node.kubernetes.io/unreachable', effect: 'NoSchedule' }] }),
    node('d', {}, { disk: 'ssd' }),
  ];
  const plan = planDaemonSet(daemonSet(), nodes, [], 0);
  t.is(plan.status.desiredNumberScheduled, 3);
  const pinned = plan.create.map((pod) => /"metadata.name","operator":"In","values":\["(\w)"\]/.exec(JSON.stringify(pod))?.[1]);
  t.deepEqual(pinned, ['a', 'c', 'd']);
  t.is(planDaemonSet(daemonSet('one', { nodeSelector: { disk: 'ssd' } }), nodes, [], 0).create.length, 1);
  t.is(planDaemonSet(daemonSet('one', { tolerations: [{ operator: 'Exists' }] }), nodes, [], 0).create.length, 4);
});

test('an update of a daemon keeps all but the allowed number available, and what is too much goes', (t) => {
  const nodes = [node('a'), node('b'), node('c')];
  const revisionOf = (version: string) => {
    const [made] = planDaemonSet(daemonSet(version), [node('x')], [], 0).create as { metadata: { labels: Record<string, string> } }[];
    return made?.metadata.labels[revisionLabel] ?? '';
  };
  const pod = (name: string, on: string, version: string, ready = true) =>
    podOf('agent', name, { node: on, labels: { [revisionLabel]: revisionOf(version) }, ready });
  const plan = (pods: readonly Immutable<Pod>[]) => names(planDaemonSet(daemonSet('two'), nodes, pods, Date.now()).delete);
  t.deepEqual(plan([pod('pa', 'a', 'one'), pod('pb', 'b', 'one'), pod('pc', 'c', 'one')]), ['pa']);
  t.deepEqual(plan([pod('pa', 'a', 'two', false), pod('pb', 'b', 'one'), pod('pc', 'c', 'one')]), []);
  t.deepEqual(plan([pod('pa', 'a', 'two'), pod('pb', 'b', 'one', false), pod('pc', 'c', 'one')]), ['pb']);
  const crowded = [pod('p1', 'a', 'two'), pod('p2', 'a', 'two'), pod('pb', 'b', 'two'), pod('pc', 'c', 'two'), pod('pz', 'z', 'two')];
  t.deepEqual(plan(crowded), ['p2', 'pz']);
});
