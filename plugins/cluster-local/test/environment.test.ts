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

test('a variable of a service that is not there is named, and finding it takes as long as the text is', (t) => {
  const missing = (text: string) => {
    const container = { name: 'main', env: [{ name: 'URL', value: text }] };
    const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'pod' }, spec: { containers: [container] } } as const;
    const sources = { base: {}, image: {}, services: {}, hostPorts: {}, configMaps: new Map(), secrets: new Map(), capacity: { cpu: 8 } };
    return environmentOf({ pod, container, ...sources }).missing;
  };
  t.is(missing('http://$(NAME):$(SHOP_SERVICE_PORT_HTTP)/'), 'the service behind $(SHOP_SERVICE_PORT_HTTP)');
  t.is(missing('$(_SERVICE_HOST) $(SERVICE_HOST) SHOP_SERVICE_HOST'), undefined);
  const before = process.threadCpuUsage();
  t.is(missing(`$(${'A_SERVICE_HOST'.repeat(20_000)}`), undefined);
  const { user } = process.threadCpuUsage(before);
  t.true(user < 1_000_000, `${user} µs`);
});

test('names that every object of JavaScript has are no keys, fields, labels or variables unless somebody has made them', (t) => {
  const resolved = (env: object, more: object = {}) => {
    const container = { name: 'main', env: [{ name: 'IT', ...env }] };
    const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'pod', labels: {} }, spec: { containers: [container] } } as const;
    const configMaps = new Map([['settings', { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'settings' }, data: {} } as const]]);
    const sources = { base: {}, image: {}, services: {}, hostPorts: {}, configMaps, secrets: new Map(), capacity: { cpu: 8 }, ...more };
    return environmentOf({ pod, container, ...sources });
  };
  const ofKey = { valueFrom: { configMapKeyRef: { name: 'settings', key: 'constructor' } } };
  t.is(resolved(ofKey).missing, 'key "constructor" of config map "settings"');
  t.is(resolved({ valueFrom: { fieldRef: { fieldPath: 'constructor' } } }).missing, 'field constructor');
  t.is(resolved({ valueFrom: { fieldRef: { fieldPath: "metadata.labels['constructor']" } } }).variables?.['IT'], '');
  t.is(resolved({ value: '$(constructor)' }).variables?.['IT'], '$(constructor)');
});
