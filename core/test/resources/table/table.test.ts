import test from 'ava';
import * as fc from 'fast-check';
import { kubernetesKinds } from '@tappaas/sdk/kubernetes';
import { humanDuration } from '../../../dist/resources/table/age.js';
import { compileJsonPath } from '../../../dist/resources/table/json-path.js';
import { kubernetesColumns } from '../../../dist/resources/table/kubernetes-columns.js';
import { declaredColumns } from '../../../dist/resources/table/table-column.js';
import { tableOf } from '../../../dist/resources/table/table.js';

const nowMs = Date.parse('2026-01-10T00:00:00Z');
const ago = (seconds: number) => new Date(nowMs - seconds * 1000).toISOString();
const metadata = { name: 'a', creationTimestamp: ago(90) };

/** Cells by column, as `kubectl get` prints them; `wide` ones too. */
const shown = (group: string, kind: string, object: object, wide = false) => {
  const columns = (kubernetesColumns({ group, kind }) ?? []).filter((column) => wide || column.priority === 0);
  const [row] = tableOf(columns, [{ metadata, ...object }], nowMs).rows;
  return Object.fromEntries(columns.map((column, index) => [column.name, row?.[index]]));
};

test('durations are printed as kubectl prints them', (t) => {
  const minute = 60,
    hour = 3600,
    day = 86_400,
    year = 365 * day;
  const rows: [number, string][] = [
    [-5, '<invalid>'],
    [-1, '0s'],
    [0, '0s'],
    [1, '1s'],
    [119, '119s'],
    [120, '2m'],
    [121, '2m1s'],
    [10 * minute, '10m'],
    [10 * minute + 5, '10m'],
    [3 * hour, '3h'],
    [3 * hour + 5 * minute, '3h5m'],
    [8 * hour + 5, '8h'],
    [47 * hour, '47h'],
    [2 * day, '2d'],
    [2 * day + hour, '2d1h'],
    [8 * day, '8d'],
    [729 * day, '729d'],
    [2 * year, '2y'],
    [2 * year + 3 * day, '2y3d'],
    [9 * year + day, '9y'],
  ];
  for (const [seconds, text] of rows) t.is(humanDuration(seconds * 1000), text);
});

test('JSONPath finds what columns ask for', (t) => {
  const object = {
    spec: { a: 1, list: [{ n: 'x' }, { n: 'y', t: true }] },
    metadata: { labels: { 'app.io/name': 'web' } },
    conditions: [
      { type: 'Ready', status: 'True' },
      { type: 'Built', status: 'False' },
    ],
  };
  const rows: Record<string, readonly unknown[]> = {
    '.spec.a': [1],
    '$.spec.a': [1],
    '{.spec.a}': [1],
    '.spec.list[1].n': ['y'],
    '.spec.list[-1].n': ['y'],
    '.spec.list[*].n': ['x', 'y'],
    '.spec.list[?(@.t==true)].n': ['y'],
    '.conditions[?(@.type=="Ready")].status': ['True'],
    ".conditions[?(@.type=='Built')].status": ['False'],
    '.conditions[?(@.type!="Ready")].type': ['Built'],
    ['.metadata.labels.app\\.io/name']: ['web'],
    ".metadata.labels['app.io/name']": ['web'],
    '.spec.none.deeper[0]': [],
    '.spec.list[9]': [],
    '.constructor.name': [],
    '': [object],
  };
  for (const [path, found] of Object.entries(rows)) t.deepEqual(compileJsonPath(path)(object), found, path);
  for (const path of ['spec', '.a[', '.a[x]', '..a', '.a[1:2]', '.a[?(@.b>1)]', '.'])
    t.throws(() => compileJsonPath(path), { instanceOf: TypeError }, path);
});

test('declared columns stand between name and age, and a cell of another type is none', (t) => {
  const columns = declaredColumns([
    { name: 'Replicas', path: '.spec.replicas', type: 'integer' },
    { name: 'Ready', path: '.status.conditions[?(@.type=="Ready")].status' },
    { name: 'Since', path: '.status.since', type: 'date', wide: true },
    { name: 'Paused', path: '.spec.paused', type: 'boolean', description: 'Whether it rests.' },
    { name: 'Ports', path: '.spec.ports[*]' },
  ]);
  const objects = [
    {
      metadata,
      spec: { replicas: 2, paused: false, ports: [80, 'http'] },
      status: { since: ago(3600 * 5), conditions: [{ type: 'Ready', status: 'True' }] },
    },
    { metadata: { name: 'b' }, spec: { replicas: 'two', paused: 'no' } },
  ];
  const { columnDefinitions, rows } = tableOf(columns, objects, nowMs);
  t.deepEqual(
    columnDefinitions.map(({ name, type, priority }) => `${String(name)} ${String(type)} ${String(priority)}`),
    ['Name string 0', 'Replicas integer 0', 'Ready string 0', 'Since string 1', 'Paused boolean 0', 'Ports string 0', 'Age string 0'],
  );
  t.deepEqual(rows, [
    ['a', 2, 'True', '5h', false, '80,http', '90s'],
    ['b', null, null, null, null, null, '<unknown>'],
  ]);
  t.is(declaredColumns([{ name: 'AGE', path: '.x' }]).length, 2);
});

const container = (state: object, more: object = {}) => ({ name: 'c', ready: false, restartCount: 0, state, ...more });
const pod = (status: object, more: object = {}) => ({ spec: { containers: [{ name: 'c' }], ...more }, status });

test('pods are shown as kubectl shows them', (t) => {
  const running = pod(
    {
      phase: 'Running',
      containerStatuses: [
        container({ running: {} }, { ready: true, restartCount: 3, lastState: { terminated: { finishedAt: ago(300) } } }),
      ],
      podIPs: [{ ip: '10.0.0.1' }],
    },
    { nodeName: 'n1' },
  );
  t.deepEqual(shown('', 'Pod', running, true), {
    Name: 'a',
    Ready: '1/1',
    Status: 'Running',
    Restarts: '3 (5m ago)',
    Age: '90s',
    IP: '10.0.0.1',
    Node: 'n1',
    'Nominated Node': '<none>',
    'Readiness Gates': '<none>',
  });
  const status = (object: object) => shown('', 'Pod', object)['Status'];
  t.is(status(pod({ phase: 'Pending' })), 'Pending');
  t.is(status(pod({ phase: 'Running', containerStatuses: [container({ waiting: { reason: 'CrashLoopBackOff' } })] })), 'CrashLoopBackOff');
  t.is(status(pod({ phase: 'Failed', containerStatuses: [container({ terminated: { exitCode: 3 } })] })), 'ExitCode:3');
  t.is(status(pod({ phase: 'Failed', containerStatuses: [container({ terminated: { signal: 9, exitCode: 137 } })] })), 'Signal:9');
  t.is(status(pod({ phase: 'Failed', reason: 'Evicted' })), 'Evicted');
  t.is(status({ ...running, metadata: { ...metadata, deletionTimestamp: ago(1) } }), 'Terminating');
  t.is(status(pod({ phase: 'Pending', conditions: [{ type: 'PodScheduled', reason: 'SchedulingGated' }] })), 'SchedulingGated');
  const initContainers = [{ name: 'i' }, { name: 'j' }];
  t.is(
    status(
      pod(
        {
          phase: 'Pending',
          initContainerStatuses: [
            { name: 'i', state: { terminated: { exitCode: 0 } } },
            { name: 'j', state: { running: {} } },
          ],
        },
        { initContainers },
      ),
    ),
    'Init:1/2',
  );
  t.is(
    status(
      pod({ phase: 'Pending', initContainerStatuses: [{ name: 'i', state: { waiting: { reason: 'ErrImagePull' } } }] }, { initContainers }),
    ),
    'Init:ErrImagePull',
  );
  const done = [container({ terminated: { reason: 'Completed', exitCode: 0 } }), container({ running: {} }, { name: 'd', ready: true })];
  t.is(status(pod({ phase: 'Running', containerStatuses: done, conditions: [{ type: 'Ready', status: 'False' }] })), 'NotReady');
  const sidecar = pod(
    {
      phase: 'Running',
      initContainerStatuses: [{ name: 's', ready: true, started: true, restartCount: 1, state: { running: {} } }],
      containerStatuses: [container({ running: {} }, { ready: true })],
    },
    { initContainers: [{ name: 's', restartPolicy: 'Always' }] },
  );
  t.like(shown('', 'Pod', sidecar), { Ready: '2/2', Status: 'Running', Restarts: '1' });
});

test('workloads are shown as kubectl shows them', (t) => {
  const template = {
    spec: {
      containers: [
        { name: 'web', image: 'x:1' },
        { name: 'log', image: 'y' },
      ],
      nodeSelector: { disk: 'ssd' },
    },
  };
  const selector = { matchLabels: { app: 'web', a: 'b' }, matchExpressions: [{ key: 'c', operator: 'In', values: ['d'] }] };
  t.deepEqual(
    shown('apps', 'Deployment', { spec: { replicas: 3, template, selector }, status: { readyReplicas: 2, updatedReplicas: 1 } }, true),
    {
      Name: 'a',
      Ready: '2/3',
      'Up-to-date': 1,
      Available: 0,
      Age: '90s',
      Containers: 'web,log',
      Images: 'x:1,y',
      Selector: 'a=b,app=web,c in (d)',
    },
  );
  t.deepEqual(shown('apps', 'DaemonSet', { spec: { template }, status: { desiredNumberScheduled: 2, numberReady: 1 } }), {
    Name: 'a',
    Desired: 2,
    Current: 0,
    Ready: 1,
    'Up-to-date': 0,
    Available: 0,
    'Node Selector': 'disk=ssd',
    Age: '90s',
  });
  t.like(
    shown('batch', 'Job', {
      spec: { completions: 4 },
      status: { succeeded: 4, startTime: ago(100), completionTime: ago(40), conditions: [{ type: 'Complete', status: 'True' }] },
    }),
    { Status: 'Complete', Completions: '4/4', Duration: '60s' },
  );
  t.like(shown('batch', 'Job', { spec: { parallelism: 3 }, status: {} }), { Status: 'Running', Completions: '0/1 of 3', Duration: '' });
  t.like(shown('batch', 'CronJob', { spec: { schedule: '* * * * *' }, status: { active: [{}] } }), {
    Schedule: '* * * * *',
    Timezone: '<none>',
    Suspend: 'False',
    Active: 1,
    'Last Schedule': '<none>',
  });
  const metric = { type: 'Resource', resource: { name: 'cpu', target: { averageUtilization: 80 }, current: { averageUtilization: 12 } } };
  t.like(
    shown('autoscaling', 'HorizontalPodAutoscaler', {
      spec: {
        scaleTargetRef: { kind: 'Deployment', name: 'web' },
        maxReplicas: 5,
        metrics: [metric, { type: 'Resource', resource: { name: 'memory', target: { averageValue: '1Gi' } } }],
      },
      status: { currentMetrics: [metric], currentReplicas: 2 },
    }),
    {
      Reference: 'Deployment/web',
      Targets: 'cpu: 12%/80%, memory: <unknown>/1Gi',
      MinPods: '<unset>',
      MaxPods: 5,
      Replicas: 2,
    },
  );
});

test('services, ingresses and nodes are shown as kubectl shows them', (t) => {
  const ports = [
    { port: 80, protocol: 'TCP', nodePort: 30_001 },
    { port: 53, protocol: 'UDP' },
  ];
  t.deepEqual(shown('', 'Service', { spec: { type: 'LoadBalancer', clusterIP: '10.0.0.1', ports, selector: { app: 'web' } } }, true), {
    Name: 'a',
    Type: 'LoadBalancer',
    'Cluster-IP': '10.0.0.1',
    'External-IP': '<pending>',
    'Port(s)': '80:30001/TCP,53/UDP',
    Age: '90s',
    Selector: 'app=web',
  });
  t.like(shown('', 'Service', { spec: { type: 'ClusterIP', clusterIP: 'None' } }), { 'External-IP': '<none>', 'Port(s)': '<none>' });
  const endpoints = ['1', '2', '3', '4', '5'].map((ip) => ({ addresses: [ip] }));
  t.like(shown('discovery.k8s.io', 'EndpointSlice', { addressType: 'IPv4', ports: [{ port: 80 }], endpoints }), {
    AddressType: 'IPv4',
    Ports: '80',
    Endpoints: '1,2,3 + 2 more...',
  });
  t.like(shown('networking.k8s.io', 'Ingress', { spec: { rules: [{ host: 'a.b' }, {}], tls: [{}] } }), {
    Class: '<none>',
    Hosts: 'a.b,*',
    Address: '',
    Ports: '80, 443',
  });
  const node = {
    metadata: { ...metadata, labels: { 'node-role.kubernetes.io/control-plane': '' } },
    spec: { unschedulable: true },
    status: {
      conditions: [{ type: 'Ready', status: 'True' }],
      addresses: [{ type: 'InternalIP', address: '10.1.1.1' }],
      nodeInfo: { kubeletVersion: 'v1' },
    },
  };
  t.like(shown('', 'Node', node, true), {
    Status: 'Ready,SchedulingDisabled',
    Roles: 'control-plane',
    Version: 'v1',
    'Internal-IP': '10.1.1.1',
    'External-IP': '<none>',
  });
});

test('events of both groups are shown alike, the last first', (t) => {
  const old = {
    involvedObject: { kind: 'Pod', name: 'p' },
    reason: 'Started',
    message: ' it runs\n',
    type: 'Normal',
    lastTimestamp: ago(60),
    count: 3,
  };
  t.deepEqual(shown('', 'Event', old), { 'Last Seen': '60s', Type: 'Normal', Reason: 'Started', Object: 'pod/p', Message: 'it runs' });
  t.like(shown('events.k8s.io', 'Event', { regarding: { kind: 'Pod', name: 'p' }, note: 'it runs', eventTime: ago(30) }), {
    'Last Seen': '30s',
    Object: 'pod/p',
    Message: 'it runs',
  });
});

test('every kind that can be listed has columns that no object breaks', (t) => {
  const listed = kubernetesKinds.filter((kind) => kind.verbs.includes('list'));
  t.deepEqual(
    listed.filter((kind) => kubernetesColumns(kind) === undefined),
    [],
  );
  const broken = fc.letrec<{ value: unknown }>((tie) => ({
    value: fc.oneof(
      { depthSize: 'small' },
      fc.constantFrom(null, 0, 'x', true, undefined),
      fc.array(tie('value'), { maxLength: 2 }),
      fc.dictionary(
        fc.constantFrom(
          'metadata',
          'name',
          'spec',
          'status',
          'conditions',
          'containers',
          'containerStatuses',
          'initContainerStatuses',
          'state',
          'terminated',
          'labels',
          'rules',
          'ports',
          'selector',
        ),
        tie('value'),
      ),
    ),
  })).value;
  fc.assert(
    fc.property(broken, (object) => {
      for (const kind of listed)
        for (const column of kubernetesColumns(kind) ?? []) t.notThrows(() => column.cell(object, nowMs), `${kind.kind} ${column.name}`);
    }),
  );
});
