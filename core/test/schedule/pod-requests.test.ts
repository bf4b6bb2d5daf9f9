import test from 'ava';
import type { Container, PodSpec } from '@tappaas/sdk';
import { podRequests } from '../../dist/schedule/pod-requests.js';

const container = (cpu: string, more: Partial<Container> = {}): Container => ({
  name: 'c',
  image: 'i',
  resources: { requests: { cpu } },
  ...more,
});
const cpuOf = (spec: Partial<PodSpec>) => podRequests({ containers: [], ...spec }).get('cpu') ?? 0;

test('containers run together and add up', (t) => {
  t.is(cpuOf({ containers: [container('1'), container('500m')] }), 1500);
});

test('of init containers the largest counts, and only when it is larger than what runs later', (t) => {
  t.is(cpuOf({ containers: [container('1')], initContainers: [container('2'), container('3')] }), 3000);
  t.is(cpuOf({ containers: [container('4')], initContainers: [container('2'), container('3')] }), 4000);
});

test('a sidecar runs beside the containers, and beside init containers started after it', (t) => {
  const sidecar = container('1', { restartPolicy: 'Always' });
  t.is(cpuOf({ containers: [container('2')], initContainers: [sidecar] }), 3000);
  t.is(cpuOf({ containers: [container('1')], initContainers: [container('5'), sidecar, container('4')] }), 5000);
  t.is(cpuOf({ containers: [container('1')], initContainers: [container('4'), sidecar, container('5')] }), 6000);
});

test('the overhead comes on top of everything', (t) => {
  t.is(cpuOf({ containers: [container('1')], initContainers: [container('3')], overhead: { cpu: '250m' } }), 3250);
});

test('an amount for the whole pod replaces the sum of its containers', (t) => {
  t.is(cpuOf({ containers: [container('1'), container('1')], resources: { requests: { cpu: '5' } }, overhead: { cpu: '1' } }), 6000);
});

test('a limit without a request counts as the request', (t) => {
  t.is(cpuOf({ containers: [{ name: 'c', image: 'i', resources: { limits: { cpu: '2' } } }] }), 2000);
  t.is(cpuOf({ containers: [{ name: 'c', image: 'i', resources: { limits: { cpu: '2' }, requests: { cpu: '1' } } }] }), 1000);
});

test('sums beyond what is exact stay at the largest amount', (t) => {
  t.is(
    podRequests({
      containers: [
        { name: 'c', image: 'i', resources: { requests: { memory: '8Pi' } } },
        { name: 'd', image: 'i', resources: { requests: { memory: '8Pi' } } },
      ],
    }).get('memory'),
    Number.MAX_SAFE_INTEGER,
  );
});
