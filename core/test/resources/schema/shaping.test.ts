import test from 'ava';
import { freezeDeep } from '@tappaas/sdk';
import { kubernetesSchemas } from '@tappaas/sdk/kubernetes';
import { canonicalForm } from '../../../dist/resources/schema/canonical-form.js';
import { applyDefaults } from '../../../dist/resources/schema/defaulting.js';
import { fieldType } from '../../../dist/resources/schema/field-type.js';
import { immutableCauses } from '../../../dist/resources/schema/immutable-fields.js';
import { pruneUnknown, strictDecodingFindings, unknownFieldsMax } from '../../../dist/resources/schema/unknown-fields.js';

const type = (name: string) => fieldType(kubernetesSchemas[`io.k8s.api.${name}`] ?? {}, kubernetesSchemas);
const pod = (spec: object) => freezeDeep({ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'a', labels: { x: 'y' } }, spec });

test('unknown fields are pruned and told, entries of maps are not unknown', (t) => {
  const object = pod({
    containers: [{ name: 'a', image: 'x', ports: [{ containerPort: 1, nope: 1 }] }],
    nodeSelector: { any: 'thing' },
    wrong: { deep: 1 },
  });
  const { object: pruned, unknown } = pruneUnknown(type('core.v1.Pod'), object);
  t.deepEqual(unknown, ['spec.containers[0].ports[0].nope', 'spec.wrong']);
  t.deepEqual(pruned['spec'], { containers: [{ name: 'a', image: 'x', ports: [{ containerPort: 1 }] }], nodeSelector: { any: 'thing' } });
  t.is(pruned['metadata'], object.metadata, 'what stays is shared');
  t.is(pruneUnknown(type('core.v1.Pod'), pruned).object, pruned);
  t.deepEqual(strictDecodingFindings(unknown, ['spec.a']), [
    'duplicate field "spec.a"',
    'unknown field "spec.containers[0].ports[0].nope"',
    'unknown field "spec.wrong"',
  ]);
});

test('a member called like one of Object.prototype is unknown', (t) => {
  const object = freezeDeep({ apiVersion: 'v1', kind: 'Pod', constructor: 1, toString: 2, metadata: { name: 'a', hasOwnProperty: {} } });
  t.deepEqual(pruneUnknown(type('core.v1.Pod'), object).unknown, ['constructor', 'toString', 'metadata.hasOwnProperty']);
});

test('unknown fields are all pruned, and named up to the limit', (t) => {
  const many = freezeDeep(Object.fromEntries(Array.from({ length: 500 }, (_, index) => [`x${index}`, 1])));
  const { object, unknown } = pruneUnknown(type('core.v1.Pod'), many);
  t.deepEqual([Object.keys(object).length, unknown.length], [0, unknownFieldsMax]);
});

test('free-form places keep everything', (t) => {
  const revision = freezeDeep({
    apiVersion: 'apps/v1',
    kind: 'ControllerRevision',
    metadata: {},
    revision: 1,
    data: { anything: [{ at: 'all' }] },
  });
  t.is(pruneUnknown(type('apps.v1.ControllerRevision'), revision).object, revision);
});

test('defaults are filled in, also inside of defaults, and filling twice changes nothing', (t) => {
  const service = freezeDeep({
    apiVersion: 'v1',
    kind: 'Service',
    metadata: {},
    spec: { ports: [{ port: 80 }, { port: 53, protocol: 'UDP' }] },
  });
  const filled = applyDefaults(type('core.v1.Service'), service);
  t.deepEqual(filled['spec'], {
    ports: [
      { port: 80, protocol: 'TCP' },
      { port: 53, protocol: 'UDP' },
    ],
  });
  t.deepEqual(filled['status'], { loadBalancer: {} });
  t.is(applyDefaults(type('core.v1.Service'), filled), filled);
  t.true(Object.isFrozen(filled) && Object.isFrozen(filled['status']));
});

test('a default is a copy of the schema and keeps what was given', (t) => {
  const schema = {
    type: 'object',
    properties: {
      list: { type: 'array', items: { type: 'integer' }, default: [1, 2] },
      nested: { type: 'object', default: { a: 1 }, properties: { a: { type: 'integer' }, b: { type: 'string', default: 'x' } } },
    },
  };
  const filled = applyDefaults(fieldType(schema), {});
  t.deepEqual(filled, { list: [1, 2], nested: { a: 1, b: 'x' } });
  t.not(filled['list'], schema.properties.list.default);
  t.false(Object.isFrozen(schema.properties.list.default));
  t.deepEqual(applyDefaults(fieldType(schema), { list: [], nested: { b: 'y' } }), { list: [], nested: { b: 'y' } });
});

test('an object takes its canonical form: no nulls, one notation of quantities and times', (t) => {
  const object = pod({
    nodeName: null,
    containers: [{ name: 'a', imagePullPolicy: '', resources: { limits: { cpu: '1000m', memory: '1024Mi' }, requests: { cpu: 0.5 } } }],
  });
  const canonical = canonicalForm(type('core.v1.Pod'), object, { emptyIsAbsent: true });
  t.deepEqual(canonical['spec'], {
    containers: [{ name: 'a', resources: { limits: { cpu: '1', memory: '1Gi' }, requests: { cpu: '500m' } } }],
  });
  t.is(canonicalForm(type('core.v1.Pod'), canonical, { emptyIsAbsent: true }), canonical);
  const lease = freezeDeep({ spec: { renewTime: '2026-01-01T02:00:00.123456+02:00', acquireTime: '2026-01-01T00:00:00Z' } });
  t.deepEqual(canonicalForm(type('coordination.v1.Lease'), lease, { emptyIsAbsent: true })['spec'], {
    renewTime: '2026-01-01T00:00:00.123456Z',
    acquireTime: '2026-01-01T00:00:00.000000Z',
  });
  const timed = freezeDeep({ metadata: { creationTimestamp: '2026-01-01T00:00:00.9Z' } });
  t.deepEqual(canonicalForm(type('core.v1.Pod'), timed, { emptyIsAbsent: true })['metadata'], {
    creationTimestamp: '2026-01-01T00:00:00Z',
  });
  const own = fieldType({ type: 'object', properties: { at: { type: 'string', format: 'date-time' } } });
  t.deepEqual(canonicalForm(own, { at: '2026-01-01T00:00:00.123-01:00' }, { emptyIsAbsent: false }), {
    at: '2026-01-01T01:00:00.123Z',
  });
});

test('immutable fields may not change, appear or go', (t) => {
  const paths = [
    ['spec', 'source', 'url'],
    ['spec', 'size'],
  ];
  const object = { spec: { source: { url: 'a' } } };
  t.deepEqual(immutableCauses(paths, object, { spec: { source: { url: 'a', x: 1 } } }), []);
  t.deepEqual(
    immutableCauses(paths, object, { spec: { source: {}, size: 1 } }).map((cause) => `${cause.field}: ${cause.message}`),
    ['spec.source.url: Invalid value: null: field is immutable', 'spec.size: Invalid value: 1: field is immutable'],
  );
});
