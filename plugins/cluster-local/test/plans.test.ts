import test from 'ava';
import type { EndpointSlice, Immutable, Job, KubernetesService, Pod, ReplicaSet } from '@tappaas/sdk';
import { planEndpointSlices } from '../dist/controllers/endpoint-slice-plan.js';
import { planJob } from '../dist/controllers/job-plan.js';
import { LeaseWatch } from '../dist/controllers/node-health.js';
import { burstMax, planReplicaSet, victims } from '../dist/controllers/replica-set-plan.js';
import { planPod, startableAtMs } from '../dist/agent/pod/pod-plan.js';
import { Outage } from '../dist/agent/outage.js';
import type { ContainerRecord } from '../dist/agent/pod/container-state.js';

type APod = Immutable<Pod>;

const owned = (owner: string, kind: string) => [{ apiVersion: 'x', kind, name: owner, uid: owner, controller: true }];

function pod(
  name: string,
  more: {
    ready?: boolean;
    phase?: string;
    deleted?: boolean;
    owner?: string;
    node?: string;
    restarts?: number;
    created?: string;
    since?: string;
  } = {},
): APod {
  const {
    ready = true,
    phase = 'Running',
    deleted = false,
    owner = 'set',
    node = 'n',
    restarts = 0,
    created = '2026-01-01T00:00:00Z',
    since = '2026-01-01T00:00:00Z',
  } = more;
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name,
      uid: `uid-${name}`,
      namespace: 'default',
      labels: { app: 'x' },
      annotations: { 'local.tappaas.dev/host-ports': '{"c/80/TCP":2000}' },
      creationTimestamp: created,
      ...(owner === '' ? {} : { ownerReferences: owned(owner, 'ReplicaSet') }),
      ...(deleted ? { deletionTimestamp: 'now' } : {}),
    },
    spec: { nodeName: node, containers: [{ name: 'c', ports: [{ name: 'http', containerPort: 80 }] }] },
    status: {
      phase: phase as 'Running',
      podIP: '127.0.0.1',
      conditions: [{ type: 'Ready', status: ready ? 'True' : 'False', lastTransitionTime: since }],
      containerStatuses: [{ name: 'c', image: '', imageID: '', ready, restartCount: restarts }],
    },
  };
}

const set = (replicas: number, more: object = {}): Immutable<ReplicaSet> => ({
  apiVersion: 'apps/v1',
  kind: 'ReplicaSet',
  metadata: { name: 'shop', uid: 'set', namespace: 'default', generation: 3 },
  spec: { replicas, selector: { matchLabels: { app: 'x' } }, template: { metadata: { labels: { app: 'x' } } }, ...more },
});

test('a replica set makes what is missing, with the same names as long as it sees the same', (t) => {
  const plan = planReplicaSet(set(3), [pod('a')], 0);
  t.is(plan.create.length, 2);
  t.deepEqual(planReplicaSet(set(3), [pod('a')], 99).create, plan.create);
  t.notDeepEqual(planReplicaSet(set(3), [pod('b')], 0).create, plan.create);
  for (const name of plan.create) t.regex(name, /^shop-[b-df-hj-np-tv-xz2-9]{5}$/);
  t.is(new Set(plan.create).size, 2);
});

test('pods that end or have ended do not count, and orphans are taken in', (t) => {
  const plan = planReplicaSet(
    set(3),
    [
      pod('a'),
      pod('ending', { deleted: true }),
      pod('over', { phase: 'Failed' }),
      pod('orphan', { owner: '' }),
      pod('foreign', { owner: 'other' }),
    ],
    0,
  );
  t.deepEqual(
    plan.adopt.map(({ metadata }) => metadata.name),
    ['orphan'],
  );
  t.is(plan.create.length, 1);
  t.like(plan.status, { replicas: 1, readyReplicas: 1, terminatingReplicas: 1, observedGeneration: 3 });
});

test('no run makes or deletes more than a burst', (t) => {
  t.is(planReplicaSet(set(1000), [], 0).create.length, burstMax);
  const many = Array.from({ length: 300 }, (_, index) => pod(`p${index}`));
  t.is(planReplicaSet(set(0), many, 0).delete.length, burstMax);
});

test('pods that are missed least go first', (t) => {
  const pods = [
    pod('serving-old', { created: '2026-01-01T00:00:00Z' }),
    pod('serving-young', { created: '2026-01-02T00:00:00Z' }),
    pod('restarted', { restarts: 3 }),
    pod('unready', { ready: false }),
    pod('pending', { ready: false, phase: 'Pending' }),
    pod('unbound', { ready: false, phase: 'Pending', node: '' }),
  ];
  t.deepEqual(
    victims(pods, 6).map(({ metadata }) => metadata.name),
    ['unbound', 'pending', 'unready', 'restarted', 'serving-young', 'serving-old'],
  );
});

test('a pod becomes available after minReadySeconds, and the set is looked at again then', (t) => {
  const at = Date.parse('2026-01-01T00:00:00Z');
  const plan = planReplicaSet(set(1, { minReadySeconds: 10 }), [pod('a')], at + 4000);
  t.like(plan.status, { readyReplicas: 1, availableReplicas: 0 });
  t.is(plan.againAtMs, at + 10_000);
  t.is(planReplicaSet(set(1, { minReadySeconds: 10 }), [pod('a')], at + 10_000).status.availableReplicas, 1);
});

const service = (more: object = {}): Immutable<KubernetesService> => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: 'web', uid: 'svc', namespace: 'default' },
  spec: {
    selector: { app: 'x' },
    ports: [
      { name: 'http', port: 80, targetPort: 'http' },
      { name: 'number', port: 81, targetPort: 80 },
      { name: 'none', port: 82 },
    ],
    ...more,
  },
});

test('each pod has a slice with its own host ports, and what has not changed is not written', (t) => {
  const pods = [pod('a'), pod('b', { ready: false }), pod('c', { deleted: true }), pod('d', { phase: 'Succeeded' })];
  const plan = planEndpointSlices(service(), pods, []);
  t.deepEqual(
    plan.create.map(({ endpoints }) => [endpoints?.[0]?.targetRef?.name, endpoints?.[0]?.conditions]),
    [
      ['a', { ready: true, serving: true, terminating: false }],
      ['b', { ready: false, serving: false, terminating: false }],
      ['c', { ready: false, serving: true, terminating: true }],
    ],
  );
  t.deepEqual(plan.create[0]?.ports, [
    { name: 'http', protocol: 'TCP', port: 2000 },
    { name: 'number', protocol: 'TCP', port: 2000 },
  ]);
  const stored = plan.create as Immutable<EndpointSlice>[];
  t.deepEqual(planEndpointSlices(service(), pods, stored), { create: [], update: [], delete: [] });
  const later = planEndpointSlices(service(), [pod('a', { ready: false })], stored);
  t.is(later.update.length, 1);
  t.is(later.delete.length, 2);
});

test('a service without a selector leaves slices that others wrote alone', (t) => {
  const foreign: Immutable<EndpointSlice> = {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { name: 'mine' },
    addressType: 'IPv4',
  };
  const plan = planEndpointSlices({ ...service(), spec: { ports: [{ port: 80 }] } }, [pod('a')], [foreign]);
  t.deepEqual(plan, { create: [], update: [], delete: [] });
});

const job = (spec: object, status: object = {}): Immutable<Job> => ({
  apiVersion: 'batch/v1',
  kind: 'Job',
  metadata: { name: 'migrate', uid: 'set', namespace: 'default' },
  spec: { completions: 1, parallelism: 1, backoffLimit: 2, template: { spec: { restartPolicy: 'Never', containers: [] } }, ...spec },
  status,
});

test('a job runs as many pods at once as it may until enough have succeeded', (t) => {
  const wide = job({ completions: 5, parallelism: 3 });
  t.is(planJob(wide, [], 0).create.length, 3);
  t.is(planJob(wide, [pod('a', { phase: 'Succeeded' }), pod('b'), pod('c')], 0).create.length, 1);
  const nearly = ['a', 'b', 'c', 'd'].map((name) => pod(name, { phase: 'Succeeded' }));
  t.is(planJob(wide, nearly, 0).create.length, 1);
  const done = planJob(wide, [...nearly, pod('e', { phase: 'Succeeded' })], 5000);
  t.is(done.create.length, 0);
  t.like(done.status.conditions?.[0], { type: 'Complete', status: 'True' });
  t.is(done.status.completionTime, '1970-01-01T00:00:05.000Z');
});

test('a failed pod is replaced after a growing delay, until the limit', (t) => {
  const ended = (name: string, at: string) => {
    const failed = pod(name, { phase: 'Failed' });
    return {
      ...failed,
      status: {
        ...failed.status,
        containerStatuses: [
          { name: 'c', image: '', imageID: '', ready: false, restartCount: 0, state: { terminated: { exitCode: 1, finishedAt: at } } },
        ],
      },
    };
  };
  const at = '2026-01-01T00:00:00Z';
  const nowMs = Date.parse(at);
  const first = planJob(job({}), [ended('a', at)], nowMs + 1000);
  t.deepEqual([first.create.length, first.againAtMs], [0, nowMs + 10_000]);
  t.is(planJob(job({}), [ended('a', at)], nowMs + 10_000).create.length, 1);
  t.is(planJob(job({}), [ended('a', at), ended('b', at)], nowMs).againAtMs, nowMs + 20_000);
  const over = planJob(job({}), [ended('a', at), ended('b', at), ended('c', at)], nowMs);
  t.like(over.status.conditions?.[0], { type: 'Failed', reason: 'BackoffLimitExceeded' });
});

test('a job that takes too long fails and its pods end; a finished one goes after its time', (t) => {
  const startTime = '2026-01-01T00:00:00Z';
  const nowMs = Date.parse(startTime);
  const slow = job({ activeDeadlineSeconds: 5 }, { startTime });
  t.is(planJob(slow, [pod('a')], nowMs + 1000).againAtMs, nowMs + 5000);
  const late = planJob(slow, [pod('a')], nowMs + 5000);
  t.like(late.status.conditions?.[0], { type: 'Failed', reason: 'DeadlineExceeded' });
  t.is(late.delete.length, 1);
  const kept = job({ ttlSecondsAfterFinished: 60 }, { conditions: [{ type: 'Complete', status: 'True', lastTransitionTime: startTime }] });
  t.like(planJob(kept, [], nowMs), { forget: false, againAtMs: nowMs + 60_000 });
  t.true(planJob(kept, [], nowMs + 60_000).forget);
});

test('a lease counts from when it was seen here, whatever its own clock says', (t) => {
  const leases = new LeaseWatch();
  const lease = (renewTime: string) => ({
    apiVersion: 'coordination.k8s.io/v1' as const,
    kind: 'Lease' as const,
    metadata: {},
    spec: { renewTime, leaseDurationSeconds: 20 },
  });
  t.is(leases.leftMs('n', lease('1999-01-01'), 1_000_000), 20_000);
  t.is(leases.leftMs('n', lease('1999-01-01'), 1_015_000), 5000);
  t.is(leases.leftMs('n', lease('1998-01-01'), 1_016_000), 20_000);
  t.true(leases.leftMs('n', lease('1998-01-01'), 1_036_000) <= 0);
  t.is(leases.leftMs('m', undefined, 0), 40_000);
});

test('an outage is the time without an answer, and a machine that slept was not one', (t) => {
  const outage = new Outage(0);
  t.is(outage.look(1000, 0), 1000);
  t.is(outage.look(2000, 0), 2000);
  t.is(outage.look(3000, 2500), 0);
  t.is(outage.look(3_603_000, 2500), 5000);
});

const record = (state: ContainerRecord['state'], more: Partial<ContainerRecord> = {}): ContainerRecord => ({
  state,
  starts: 1,
  failures: 0,
  ...more,
});
const ended = (exitCode: number) => ({ is: 'terminated' as const, exitCode, reason: 'x', startedAtMs: 0, finishedAtMs: 1000 });
const delays = { firstMs: 10_000, mostMs: 300_000, resetMs: 600_000 };

test('restarts are immediate, then after 10, 20, 40 … and at most 300 seconds', (t) => {
  const at = [1, 2, 3, 4, 5, 6, 7, 8, 30].map((failures) => startableAtMs(record(ended(1), { failures }), delays));
  t.deepEqual(at, [0, 11_000, 21_000, 41_000, 81_000, 161_000, 301_000, 301_000, 301_000]);
});

test('a pod’s phase follows its containers and its restart policy', (t) => {
  const phase = (restartPolicy: 'Always' | 'OnFailure' | 'Never', states: readonly (ContainerRecord['state'] | undefined)[]) => {
    const containers = states.map((_, index) => ({ name: `c${index}` }));
    const records = new Map(states.flatMap((state, index) => (state ? [[`c${index}`, record(state)] as const] : [])));
    const view = {
      pod: { ...pod('p'), spec: { restartPolicy, containers } },
      containers: records,
      started: new Set<string>(),
      startedAtMs: 0,
      nowMs: 2000,
      delays,
    };
    return planPod(view).phase;
  };
  const running = { is: 'running' as const, identity: { pid: 1, startTime: '', bootId: '' }, startedAtMs: 0 };
  t.is(phase('Always', [running, undefined]), 'Pending');
  t.is(phase('Always', [running, ended(1)]), 'Running');
  t.is(phase('Always', [ended(0), ended(0)]), 'Running');
  t.is(phase('OnFailure', [ended(0), ended(1)]), 'Running');
  t.is(phase('OnFailure', [ended(0), ended(0)]), 'Succeeded');
  t.is(phase('Never', [ended(0), ended(1)]), 'Failed');
  t.is(phase('Never', [ended(0), running]), 'Running');
});
