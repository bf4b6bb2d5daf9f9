/** Clients of yesterday go on working: what the API's documents promised is promised still. */
import test from 'ava';
import {
  documentNarrowings,
  narrowings,
  recordedDocuments,
  refuseNarrowings,
  servedDocuments,
  type Json,
  type JsonObject,
} from '../.ci/openapi.ts';

test('what is served is what was recorded, or more of it', async (t) => {
  const [served, recorded] = [await servedDocuments(), await recordedDocuments()];
  for (const [name, before] of recorded) {
    const found = documentNarrowings(before, served.get(name), name);
    t.deepEqual(found, [], `${name} takes something away from clients that rely on it; serve another version beside it instead`);
  }
  for (const [name, now] of served) {
    const recordedNow = JSON.stringify({ ...recorded.get(name), info: undefined });
    t.is(recordedNow, JSON.stringify({ ...now, info: undefined }), `${name} has grown: run node .ci/openapi.ts to record it`);
  }
});

const before = {
  paths: { '/a': { get: { parameters: [{ name: 'limit', in: 'query', schema: { type: 'integer', maximum: 10 } }] } } },
  schema: {
    type: 'object',
    required: ['name'],
    properties: { name: { type: 'string', maxLength: 63 }, phase: { type: 'string', enum: ['A', 'B'] } },
  },
};

for (const [what, change, received] of [
  ['a path that is gone', (d: typeof before) => ({ ...d, paths: {} }), /\/paths\/\/a is gone/],
  ['a method that is gone', (d: typeof before) => ({ ...d, paths: { '/a': {} } }), /\/a\/get is gone/],
  ['a parameter that is gone', (d: typeof before) => ({ ...d, paths: { '/a': { get: { parameters: [] } } } }), /parameters\/limit is gone/],
  [
    'a field that is gone',
    (d: typeof before) => ({ ...d, schema: { ...d.schema, properties: { name: d.schema.properties.name } } }),
    /phase is gone/,
  ],
  [
    'a field that is required now',
    (d: typeof before) => ({ ...d, schema: { ...d.schema, required: ['name', 'phase'] } }),
    /phase is required now/,
  ],
  [
    'a shorter text',
    (d: typeof before) => ({
      ...d,
      schema: { ...d.schema, properties: { ...d.schema.properties, name: { type: 'string', maxLength: 62 } } },
    }),
    /maxLength fell to 62/,
  ],
  [
    'another type',
    (d: typeof before) => ({ ...d, schema: { ...d.schema, properties: { ...d.schema.properties, name: { type: 'integer' } } } }),
    /type was "string", is "integer"/,
  ],
  [
    'a value that is refused now',
    (d: typeof before) => ({
      ...d,
      schema: { ...d.schema, properties: { ...d.schema.properties, phase: { type: 'string', enum: ['A'] } } },
    }),
    /enum: "B" is gone/,
  ],
] as const) {
  test(`${what} is told`, (t) => {
    const found = narrowings(before, change(before));
    t.is(found.length, 1, found.join('\n'));
    t.regex(found[0] ?? '', received);
  });
}

test('what is added, described otherwise or allowed besides is no narrowing', (t) => {
  const now = {
    paths: { ...before.paths, '/b': {} },
    schema: {
      ...before.schema,
      description: 'new',
      required: [],
      properties: { name: { type: 'string', maxLength: 64, description: 'x' }, phase: { type: 'string' }, more: { type: 'string' } },
    },
  };
  t.deepEqual(narrowings(before, now), []);
});

const schema = (name: Json): JsonObject => ({ schema: { type: 'object', properties: { name } } });

for (const [what, was, is, received] of [
  ['another default', { type: 'integer', default: 1 }, { type: 'integer', default: 2 }, /name: default was 1, is 2/],
  ['a default that is gone', { type: 'integer', default: 1 }, { type: 'integer' }, /default was 1, is "absent"/],
  ['a null that is refused now', { type: 'string', nullable: true }, { type: 'string' }, /nullable is gone/],
  [
    'unknown fields that are dropped now',
    { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
    { type: 'object' },
    /preserve-unknown-fields is gone/,
  ],
  [
    'a list that merges otherwise',
    { type: 'array' },
    { type: 'array', 'x-kubernetes-list-type': 'map' },
    /list-type was "absent", is "map"/,
  ],
  [
    'a map that is closed',
    { type: 'object' },
    { type: 'object', additionalProperties: false },
    /fields that are not named are refused now/,
  ],
  ['items that have to be unique', { type: 'array' }, { type: 'array', uniqueItems: true }, /items have to be unique now/],
  ['a condition', { type: 'object' }, { type: 'object', oneOf: [{ required: ['a'] }] }, /oneOf has to hold now/],
  ['another step', { type: 'number' }, { type: 'number', multipleOf: 5 }, /multipleOf was "absent", is 5/],
] as const) {
  test(`${what} is told, and not recorded`, (t) => {
    const found = narrowings(schema(was), schema(is));
    t.is(found.length, 1, found.join('\n'));
    t.regex(found[0] ?? '', received);
    const documents = (name: Json) => new Map([['group_v1', schema(name)]]);
    t.throws(() => refuseNarrowings(documents(was), documents(is)), { message: received });
    t.notThrows(() => refuseNarrowings(documents(was), documents(was)));
  });
}

test('fields that are called like keywords are fields', (t) => {
  const fields = (more: object) => ({ properties: { default: { type: 'string' }, nullable: { type: 'string' }, ...more } });
  t.deepEqual(narrowings(fields({}), fields({ additionalProperties: { type: 'boolean' }, oneOf: { type: 'string' } })), []);
});

test('kinds of all plugins are recorded', async (t) => {
  const recorded = JSON.stringify([...(await recordedDocuments()).values()]);
  for (const kind of ['Application', 'Build', 'Release', 'ApiToken', 'Quota', 'Policy', 'Session'])
    t.true(recorded.includes(`"kind":"${kind}"`), kind);
});
