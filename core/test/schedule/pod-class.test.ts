import test from 'ava';
import type { Pod } from '@tappaas/sdk';
import { PodClasses, signatureOf } from '../../dist/schedule/pod-class.js';
import { makePod } from './world.ts';

const classes = (classesMax = 10) =>
  new PodClasses({ classesMax, supports: new Set(), tenantOf: (namespace) => (namespace === 'shop' ? 'acme' : undefined) });
const alike = (a: Pod, b: Pod) => signatureOf(a, undefined) === signatureOf(b, undefined);

test('pods that differ in name, uid, host name and injected token volume are alike', (t) => {
  const pod = (name: string) => {
    const made = makePod(name, { cpu: '1' });
    const token = `kube-api-access-${name}`;
    const containers = (made.spec?.containers ?? []).map((each) => ({ ...each, volumeMounts: [{ name: token, mountPath: '/token' }] }));
    return { ...made, spec: { ...made.spec, containers, hostname: name, volumes: [{ name: token, projected: {} }] } };
  };
  t.true(alike(pod('a'), pod('b')));
});

test('pods that differ in anything a tap may look at are not alike', (t) => {
  const pod = makePod('a', { cpu: '1' });
  t.false(alike(pod, makePod('a', { cpu: '2' })));
  t.false(alike(pod, makePod('a', { cpu: '1', labels: { app: 'x' } })));
  t.false(alike(pod, makePod('a', { cpu: '1', namespace: 'other' })));
  t.false(alike(pod, makePod('a', { cpu: '1', priority: 5 })));
  t.false(alike(pod, makePod('a', { cpu: '1', spec: { nodeSelector: { disk: 'ssd' } } })));
  t.false(alike(pod, makePod('a', { cpu: '1', spec: { volumes: [{ name: 'data', persistentVolumeClaim: { claimName: 'a' } }] } })));
  t.not(signatureOf(pod, 'acme'), signatureOf(pod, 'other'));
});

test('a class tells taps the requests, the tenant and nothing that they could change', (t) => {
  const { pod } = classes().of(makePod('a', { cpu: '1500m', memory: '1Gi', namespace: 'shop', priority: 7 }));
  t.is(pod.requests('cpu'), 1500);
  t.is(pod.requests('memory'), 2 ** 30);
  t.is(pod.requests('nvidia.com/gpu'), 0);
  t.deepEqual([...pod.resources], ['cpu', 'memory']);
  t.is(pod.tenant, 'acme');
  t.is(pod.priority, 7);
  t.true(Object.isFrozen(pod) && Object.isFrozen(pod.spec) && Object.isFrozen(pod.spec.containers[0]) && Object.isFrozen(pod.labels));
});

test('a class shares nothing with the pod it was made of', (t) => {
  const pod = makePod('a', { labels: { app: 'x' } });
  const cls = classes().of(pod);
  if (pod.metadata.labels) pod.metadata.labels['app'] = 'y';
  t.is(cls.pod.labels['app'], 'x');
});

test('only the most recently used classes are kept', (t) => {
  const known = classes(2);
  const a = known.of(makePod('a', { priority: 1 }));
  known.of(makePod('b', { priority: 2 }));
  t.is(known.of(makePod('c', { priority: 1 })), a);
  known.of(makePod('d', { priority: 3 }));
  t.is(known.size, 2);
  t.is(known.of(makePod('e', { priority: 1 })), a);
});

test('a pod with a hard requirement that nobody honours is refused by name', (t) => {
  const antiAffinity = { podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [{ topologyKey: 'zone' }] } };
  t.is(classes().of(makePod('a', { spec: { affinity: antiAffinity } })).impossible, 'the scheduler does not support podAntiAffinity');
  const spread = [{ maxSkew: 1, topologyKey: 'zone', whenUnsatisfiable: 'DoNotSchedule' as const }];
  t.is(
    classes().of(makePod('b', { spec: { topologySpreadConstraints: spread } })).impossible,
    'the scheduler does not support topologySpread',
  );
  t.is(
    classes().of(
      makePod('c', { spec: { topologySpreadConstraints: [{ maxSkew: 1, topologyKey: 'zone', whenUnsatisfiable: 'ScheduleAnyway' }] } }),
    ).impossible,
    undefined,
  );
  const supporting = new PodClasses({ classesMax: 1, supports: new Set(['podAntiAffinity']), tenantOf: () => undefined });
  t.is(supporting.of(makePod('d', { spec: { affinity: antiAffinity } })).impossible, undefined);
});
