import test from 'ava';
import { createRequire } from 'node:module';
import * as fc from 'fast-check';
import { kubernetesSchemas, type OpenApiSchema } from '@tappaas/sdk/kubernetes';
import { causeText } from '../../../dist/resources/schema/cause.js';
import { fieldType } from '../../../dist/resources/schema/field-type.js';
import { causesMax, validate } from '../../../dist/resources/schema/validation.js';

const deploymentType = fieldType(kubernetesSchemas['io.k8s.api.apps.v1.Deployment'] ?? {}, kubernetesSchemas);
const texts = (schema: OpenApiSchema, value: unknown) => validate(fieldType(schema), value, 'spec').map(causeText);

const deployment = (spec: object) => ({ apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'shop' }, spec });

test('every fault of an object is told with its field', (t) => {
  const object = deployment({
    replicas: 'three',
    strategy: { type: 'Sudden' },
    template: {
      spec: {
        containers: [
          { image: 'x', ports: [{ containerPort: 80, protocol: 'TCP' }] },
          {
            name: 'b',
            volumeMounts: [
              { name: 'A', mountPath: '/' },
              { name: 'B', mountPath: '/' },
            ],
          },
        ],
      },
    },
  });
  t.deepEqual(
    validate(deploymentType, object).map((cause) => `${cause.reason} ${causeText(cause)}`),
    [
      'FieldValueRequired spec.selector: Required value',
      'FieldValueTypeInvalid spec.replicas: Invalid value: "string": spec.replicas in body must be of type integer: "three"',
      'FieldValueNotSupported spec.strategy.type: Unsupported value: "Sudden": supported values: "Recreate", "RollingUpdate"',
      'FieldValueRequired spec.template.spec.containers[0].name: Required value',
      'FieldValueDuplicate spec.template.spec.containers[1].volumeMounts[1]: Duplicate value: {"mountPath":"/"}',
    ],
  );
});

test('a keyed list whose key has a default finds duplicates by the default', (t) => {
  const type = fieldType(kubernetesSchemas['io.k8s.api.core.v1.ServiceSpec'] ?? {}, kubernetesSchemas);
  const ports = [{ port: 80 }, { port: 80, protocol: 'TCP' }, { port: 80, protocol: 'UDP' }];
  t.deepEqual(
    validate(type, { ports }).map((cause) => cause.field),
    ['ports[1]'],
  );
});

test('a variable that is set twice is as good as in Kubernetes', (t) => {
  const containers = [{ name: 'a', env: [{ name: 'A' }, { name: 'A' }] }];
  t.deepEqual(validate(deploymentType, deployment({ selector: {}, template: { spec: { containers } } })), []);
});

test('quantities, int-or-string, base64 and times have their formats', (t) => {
  const type = (name: string) => fieldType(kubernetesSchemas[`io.k8s.${name}`] ?? {}, kubernetesSchemas);
  const quantity = type('apimachinery.pkg.api.resource.Quantity');
  for (const good of ['1', '250m', '1.5Gi', '2e3', 4, '.5', '+3k']) t.deepEqual(validate(quantity, good), [], String(good));
  for (const bad of ['', 'x', '1 Gi', '1gi', '1e', '--1', 'Gi', true]) t.is(validate(quantity, bad).length > 0, true, String(bad));
  t.deepEqual(validate(type('apimachinery.pkg.util.intstr.IntOrString'), '25%'), []);
  t.is(
    validate(type('apimachinery.pkg.util.intstr.IntOrString'), true)[0]?.message,
    'Invalid value: "boolean": the object in body must be of type integer or string: true',
  );
  t.is(texts({ type: 'string', format: 'byte' }, '?')[0], 'spec: Invalid value: "?": must be base64 (RFC 4648)');
  t.is(texts({ type: 'string', format: 'date-time' }, '2026-02-30 10:00').length, 1);
  t.deepEqual(texts({ type: 'string', format: 'date-time' }, '2026-02-28T10:00:00.123+02:00'), []);
  t.is(texts({ type: 'string', format: 'date-time' }, '2026-12-31T23:59:60Z').length, 1, 'no leap seconds');
  t.is(texts({ type: 'integer', format: 'int32' }, 2 ** 31).length, 1);
  t.deepEqual(texts({ type: 'integer', format: 'int32' }, -(2 ** 31)), []);
  t.is(texts({ type: 'integer', format: 'int64' }, 2 ** 53).length, 1, 'a number that JSON cannot carry exactly');
});

test('a union of values is told as their list, a union of types as their names', (t) => {
  t.deepEqual(texts({ anyOf: [{ const: 1 }, { const: 2 }] }, 3), ['spec: Unsupported value: 3: supported values: 1, 2']);
  t.deepEqual(texts({ anyOf: [{ type: 'integer' }, { type: 'string' }] }, true), [
    'spec: Invalid value: "boolean": spec in body must be of type integer or string: true',
  ]);
  const branches: readonly OpenApiSchema[] = [
    { type: 'object', required: ['a', 'b'], properties: { a: { type: 'string' }, b: { type: 'string' } } },
    { type: 'object', required: ['c'], properties: { c: { type: 'string' } } },
  ];
  t.deepEqual(texts({ anyOf: branches }, {}), ['spec.c: Required value'], 'the branch with the fewest faults is what was meant');
});

test('findings stop at the limit', (t) => {
  const list = Array.from({ length: 10_000 }, () => 'x');
  t.is(validate(fieldType({ type: 'array', items: { type: 'integer' } }), list).length, causesMax);
});

test('null is a value only where the schema says so', (t) => {
  t.is(texts({ type: 'string' }, null).length, 1);
  t.deepEqual(texts({ type: 'string', nullable: true, enum: ['a'] }, null), []);
  t.deepEqual(texts({}, null), []);
});

test('a recursive schema is validated to the end of the value', (t) => {
  const components = {
    Tree: {
      type: 'object',
      required: ['name'],
      properties: { name: { type: 'string' }, children: { type: 'array', items: { $ref: '#/components/schemas/Tree' } } },
    },
  };
  const type = fieldType({ $ref: '#/components/schemas/Tree' }, components);
  t.deepEqual(
    validate(type, { name: 'a', children: [{ name: 'b', children: [{}] }] }).map((cause) => cause.field),
    ['children[0].children[0].name'],
  );
});

const require = createRequire(import.meta.url);
const Ajv = require('ajv').default ?? require('ajv');

const scalarSchema: fc.Arbitrary<OpenApiSchema> = fc.oneof(
  fc.record({ type: fc.constant('string'), minLength: fc.nat(2), maxLength: fc.integer({ min: 2, max: 4 }) }),
  fc.record({ type: fc.constant('string'), pattern: fc.constantFrom('^a', 'b$', '^[a-c]*$') }),
  fc.record({
    type: fc.constantFrom('integer', 'number'),
    minimum: fc.integer({ min: -2, max: 1 }),
    maximum: fc.integer({ min: 1, max: 4 }),
  }),
  fc.record({ type: fc.constant('integer'), exclusiveMinimum: fc.nat(2), multipleOf: fc.constantFrom(1, 2) }),
  fc.record({ type: fc.constant('boolean') }),
  fc.record({ enum: fc.constant(['a', 1, null, true]) }),
  fc.record({ anyOf: fc.constant([{ const: 'a' }, { const: 2 }]) }),
  fc.record({
    oneOf: fc.constant([
      { type: 'number', minimum: 1 },
      { type: 'integer', maximum: 3 },
    ]),
  }),
  fc.record({ not: fc.constant({ type: 'string' }) }),
);
const schemas = fc.letrec<{ schema: OpenApiSchema }>((tie) => ({
  schema: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    scalarSchema,
    fc.record({
      type: fc.constant('array'),
      items: tie('schema'),
      minItems: fc.nat(1),
      maxItems: fc.integer({ min: 1, max: 3 }),
      uniqueItems: fc.boolean(),
    }),
    fc.record({
      type: fc.constant('object'),
      properties: fc.dictionary(fc.constantFrom('a', 'b', 'c'), tie('schema')),
      required: fc.subarray(['a', 'b']),
      minProperties: fc.nat(1),
      additionalProperties: fc.boolean(),
    }),
    fc.record({ type: fc.constant('object'), additionalProperties: tie('schema'), maxProperties: fc.nat(2) }),
  ),
})).schema;
const values = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    fc.constantFrom('', 'a', 'b', 'ab', 'cab', '😀😀', 0, 1, 2, 3, 1.5, -1, true, null),
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(fc.constantFrom('a', 'b', 'c', 'd'), tie('value')),
  ),
})).value;

test('a value is valid exactly when an independent validator says so', (t) => {
  const seen = { valid: 0, invalid: 0 };
  fc.assert(
    fc.property(schemas, fc.array(values, { minLength: 1, maxLength: 8 }), (schema, candidates) => {
      const oracle = new Ajv({ strict: false }).compile(schema);
      const type = fieldType(schema);
      for (const value of candidates) {
        t.is(validate(type, value).length === 0, oracle(value), JSON.stringify({ schema, value }));
        seen[oracle(value) ? 'valid' : 'invalid']++;
      }
    }),
    { numRuns: 200 },
  );
  t.true(seen.valid > 20 && seen.invalid > 20, JSON.stringify(seen));
});
