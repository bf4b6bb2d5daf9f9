import test from 'ava';
import * as fc from 'fast-check';
import { change, type Denial, type Immutable } from '@tappaas/sdk';
import { matchesSelector, selectorText } from '../dist/kinds/label-selector.js';
import { ingressBehaviour, serviceBehaviour } from '../dist/kinds/network-behaviour.js';
import { podBehaviour } from '../dist/kinds/pod-behaviour.js';
import { deploymentBehaviour, jobBehaviour, replicaSetBehaviour } from '../dist/kinds/workload-behaviour.js';
import { container, deployment, ingress, pod, service } from './support/manifests.ts';

interface Behaviour {
  default?(draft: never, previous: undefined): unknown;
  check?(object: never, previous?: never): readonly Denial[];
}

const defaulted = <T extends object>(behaviour: Behaviour, object: T): T =>
  change(object as Immutable<T>, (draft) => void behaviour.default?.(draft as never, undefined)) as T;
const fields = (behaviour: Behaviour, object: object, previous?: object) =>
  behaviour.check?.(object as never, previous as never).map(({ field }) => field);

test('a deployment gets kube-apiserver’s defaults', (t) => {
  const made = defaulted(deploymentBehaviour, {
    ...deployment('web', 'one', 1),
    spec: {
      selector: { matchLabels: { app: 'web' } },
      template: { metadata: { labels: { app: 'web' } }, spec: { containers: [container('one')] } },
    },
  });
  t.like(made.spec, {
    replicas: 1,
    revisionHistoryLimit: 10,
    progressDeadlineSeconds: 600,
    strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: '25%', maxUnavailable: '25%' } },
    template: {
      spec: {
        restartPolicy: 'Always',
        terminationGracePeriodSeconds: 30,
        dnsPolicy: 'ClusterFirst',
        schedulerName: 'tappaas',
        securityContext: {},
        containers: [
          {
            imagePullPolicy: 'Always',
            terminationMessagePath: '/dev/termination-log',
            terminationMessagePolicy: 'File',
            ports: [{ name: 'http', containerPort: 8080, protocol: 'TCP' }],
            readinessProbe: {
              httpGet: { path: '/', port: 'http', scheme: 'HTTP' },
              timeoutSeconds: 1,
              periodSeconds: 1,
              successThreshold: 1,
              failureThreshold: 3,
            },
          },
        ],
      },
    },
  });
  t.deepEqual(fields(deploymentBehaviour, made), []);
});

test('defaults are complete after one pass', (t) => {
  const cases: readonly (readonly [Behaviour, object])[] = [
    [deploymentBehaviour, deployment('web', 'one', 2)],
    [podBehaviour, pod('p', { containers: [container('x')], volumes: [{ name: 'c', configMap: { name: 'c' } }], serviceAccount: 'me' })],
    [serviceBehaviour, service('web')],
    [ingressBehaviour, ingress('web', 'x')],
    [
      jobBehaviour,
      { metadata: { name: 'j', uid: 'u' }, spec: { template: { spec: { restartPolicy: 'Never', containers: [container('x')] } } } },
    ],
  ];
  for (const [behaviour, object] of cases) {
    const once = defaulted(behaviour, object);
    t.is(defaulted(behaviour, once), once, JSON.stringify(once));
  }
});

test('the pull policy follows the tag', (t) => {
  const policy = (image: string) =>
    defaulted<{ spec: object }>(podBehaviour, pod('p', { containers: [{ name: 'c', image }] })).spec as {
      containers: { imagePullPolicy: string }[];
    };
  for (const [image, expected] of [
    ['nginx', 'Always'],
    ['nginx:latest', 'Always'],
    ['nginx:1', 'IfNotPresent'],
    ['host:5000/nginx', 'Always'],
    [`nginx@sha256:${'a'.repeat(64)}`, 'IfNotPresent'],
  ] as const) {
    t.is(policy(image).containers[0]?.imagePullPolicy, expected, image);
  }
});

test('a workload’s selector must fit its template, name something, and stay', (t) => {
  const good = deployment('web', 'one', 1);
  const check = (edit: (spec: (typeof good)['spec']) => object, previous?: object) =>
    fields(deploymentBehaviour, { ...good, spec: edit(good.spec) }, previous);
  const withPolicy = (spec: (typeof good)['spec'], restartPolicy: string) => ({
    ...spec,
    template: { ...spec.template, spec: { ...spec.template.spec, restartPolicy } },
  });
  t.deepEqual(
    check((spec) => withPolicy({ ...spec, selector: { matchLabels: { app: 'other' } } }, 'Always')),
    ['spec.template.metadata.labels'],
  );
  t.deepEqual(
    check((spec) => withPolicy({ ...spec, selector: {} } as never, 'Always')),
    ['spec.selector'],
  );
  t.deepEqual(
    check((spec) => withPolicy(spec, 'Never')),
    ['spec.template.spec.restartPolicy'],
  );
  const always = { ...good, spec: withPolicy(good.spec, 'Always') };
  t.deepEqual(fields(replicaSetBehaviour, always, { ...always, spec: { ...always.spec, selector: { matchLabels: { app: 'before' } } } }), [
    'spec.selector',
  ]);
  t.deepEqual(
    check((spec) =>
      withPolicy({ ...spec, strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 0, maxUnavailable: '0%' } } } as never, 'Always'),
    ),
    ['spec.strategy.rollingUpdate.maxUnavailable'],
  );
});

test('every fault of a pod is told at once, by field', (t) => {
  const faulty = pod('p', {
    volumes: [{ name: 'v' }, { name: 'v' }],
    containers: [
      {
        name: 'A',
        image: '',
        volumeMounts: [{ name: 'gone', mountPath: '/x' }],
        ports: [{ containerPort: 0 }],
        livenessProbe: { successThreshold: 2, exec: {} },
      },
      { name: 'ok', image: 'process', readinessProbe: {} },
      { name: 'ok', image: 'process', env: [{ name: '1=2' }] },
    ],
  });
  t.deepEqual(fields(podBehaviour, faulty)?.toSorted(), [
    'spec.containers[0].image',
    'spec.containers[0].livenessProbe.successThreshold',
    'spec.containers[0].name',
    'spec.containers[0].ports[0].containerPort',
    'spec.containers[0].volumeMounts[0].name',
    'spec.containers[1].readinessProbe',
    'spec.containers[2].env[0].name',
    'spec.containers[2].name',
    'spec.volumes',
  ]);
});

test('a pod’s node, once set, and its programs stay; images may change', (t) => {
  const bound = pod('p', { nodeName: 'a', containers: [{ name: 'c', image: 'one' }] });
  const check = (spec: object) => fields(podBehaviour, { ...bound, spec: { ...bound.spec, ...spec } }, bound);
  t.deepEqual(check({ nodeName: 'b' }), ['spec.nodeName']);
  t.deepEqual(check({ containers: [{ name: 'c', image: 'two' }] }), []);
  t.deepEqual(check({ containers: [{ name: 'c', image: 'one', command: ['x'] }] }), ['spec']);
  const free = pod('p', { containers: [{ name: 'c', image: 'one' }] });
  t.deepEqual(fields(podBehaviour, bound, free), []);
});

test('services and ingresses are checked where they would not work', (t) => {
  t.deepEqual(fields(serviceBehaviour, { ...service('s'), spec: { ports: [] } }), ['spec.ports']);
  t.deepEqual(fields(serviceBehaviour, { ...service('s'), spec: { ports: [{ port: 80 }, { port: 99_999, name: 'x' }] } }), [
    'spec.ports[0].name',
    'spec.ports[1].port',
  ]);
  t.deepEqual(fields(serviceBehaviour, { ...service('s'), spec: { type: 'ExternalName' } }), ['spec.externalName']);
  t.deepEqual(fields(ingressBehaviour, { ...ingress('i', 'x'), spec: {} }), ['spec']);
  const path = (rule: object) => ({ ...ingress('i', 'x'), spec: { rules: [{ http: { paths: [rule] } }] } });
  t.deepEqual(fields(ingressBehaviour, path({ path: 'x', pathType: 'Prefix', backend: { service: { name: 's', port: {} } } })), [
    'spec.rules[0].http.paths[0].path',
    'spec.rules[0].http.paths[0].backend.service.port',
  ]);
});

test('a selector’s text and its meaning agree', (t) => {
  const word = fc.constantFrom('a', 'b', 'c');
  const labels = fc.dictionary(word, word, { maxKeys: 3 });
  const requirement = fc.record({
    key: word,
    operator: fc.constantFrom('In', 'NotIn', 'Exists', 'DoesNotExist'),
    values: fc.array(word, { minLength: 1, maxLength: 2 }),
  });
  fc.assert(
    fc.property(labels, fc.array(requirement, { maxLength: 2 }), labels, (matchLabels, matchExpressions, present) => {
      const byText = selectorText({ matchLabels, matchExpressions })
        .split(/,(?![^(]*\))/)
        .filter((term) => term !== '')
        .every((term) => {
          const set = /^(\w+) (in|notin) \((.*)\)$/.exec(term);
          if (set)
            return (
              (present[set[1] ?? ''] !== undefined && (set[3] ?? '').split(',').includes(present[set[1] ?? ''] ?? '')) === (set[2] === 'in')
            );
          if (term.startsWith('!')) return present[term.slice(1)] === undefined;
          return term.includes('=') ? present[term.split('=')[0] ?? ''] === term.split('=')[1] : present[term] !== undefined;
        });
      return byText === matchesSelector({ matchLabels, matchExpressions }, present);
    }),
  );
  t.false(matchesSelector(undefined, {}));
});
