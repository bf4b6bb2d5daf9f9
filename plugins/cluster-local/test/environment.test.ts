import test from 'ava';
import { environmentOf } from '../dist/agent/pod/environment.js';

const value = (limit: string | undefined, divisor: string | undefined) => {
  const container = {
    name: 'main',
    resources: limit === undefined ? {} : { limits: { cpu: limit } },
    env: [{ name: 'CPU', valueFrom: { resourceFieldRef: { resource: 'limits.cpu', ...(divisor === undefined ? {} : { divisor }) } } }],
  };
  const { variables } = environmentOf({
    pod: { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'pod' }, spec: { containers: [container] } },
    container,
    base: {},
    image: {},
    services: {},
    hostPorts: {},
    configMaps: new Map(),
    secrets: new Map(),
    capacity: { cpu: 8 },
  });
  return variables?.['CPU'];
};

test('a resource as a variable is divided exactly and rounded up', (t) => {
  t.is(value('35m', '1m'), '35', 'not the 36 that binary fractions give');
  t.is(value('1500m', '1'), '2');
  t.is(value('1500m', undefined), '2');
  t.is(value('1500m', '0'), '2');
  t.is(value(undefined, '1m'), '8000', 'no limit is what the node has');
});
