import test from 'ava';
import * as fc from 'fast-check';
import { freezeDeep } from '@tappaas/sdk';
import type { OpenApiSchema } from '@tappaas/sdk/kubernetes';
import { compare, isSame } from '../../../dist/resources/apply/comparison.js';
import { applyConfiguration, emptyObject, trackUpdate } from '../../../dist/resources/apply/field-manager.js';
import { readFieldsV1, writeFieldsV1 } from '../../../dist/resources/apply/fields-v1.js';
import { readManagers } from '../../../dist/resources/apply/managed-fields.js';
import { mergeConfiguration } from '../../../dist/resources/apply/merging.js';
import { ownedSet } from '../../../dist/resources/apply/owned-set.js';
import { difference, equalSets, intersection, isEmpty, pathsOf, union, type PathSet } from '../../../dist/resources/apply/path-set.js';
import { fieldType } from '../../../dist/resources/schema/field-type.js';
import type { JsonObject } from '../../../dist/resources/schema/json-value.js';

const schema: OpenApiSchema = {
  type: 'object',
  properties: {
    apiVersion: { type: 'string' },
    kind: { type: 'string' },
    metadata: {
      type: 'object',
      properties: {
        name: { type: 'string' },
        uid: { type: 'string' },
        note: { type: 'string' },
        labels: { type: 'object', additionalProperties: { type: 'string' } },
      },
    },
    spec: {
      type: 'object',
      properties: {
        size: { type: 'integer' },
        struct: { type: 'object', properties: { a: { type: 'string' }, b: { type: 'string' } } },
        atomic: { type: 'object', 'x-kubernetes-map-type': 'atomic', additionalProperties: { type: 'string' } },
        words: { type: 'array', items: { type: 'string' } },
        tags: { type: 'array', 'x-kubernetes-list-type': 'set', items: { type: 'string' } },
        items: {
          type: 'array',
          'x-kubernetes-list-type': 'map',
          'x-kubernetes-list-map-keys': ['name'],
          items: {
            type: 'object',
            properties: { name: { type: 'string' }, value: { type: 'string' }, ports: { type: 'array', items: { type: 'integer' } } },
          },
        },
        free: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
      },
    },
  },
};
const type = fieldType(schema);
const identity = { apiVersion: 'a/v1', kind: 'Thing' };
const word = fc.constantFrom('x', 'y', 'z');
const words = (value: fc.Arbitrary<string>) => fc.dictionary(fc.constantFrom('a', 'b', 'c'), value, { maxKeys: 3 });
/** Empty keyed lists are left out: as in kube-apiserver, whoever applies one does not own it. */
const spec = fc.record(
  {
    size: fc.nat(2),
    struct: fc.record({ a: word, b: word }, { requiredKeys: [] }),
    atomic: words(word),
    words: fc.array(word, { maxLength: 2 }),
    tags: fc.uniqueArray(word, { minLength: 1 }),
    items: fc.uniqueArray(
      fc.record({ name: word, value: word, ports: fc.array(fc.nat(1), { maxLength: 2 }) }, { requiredKeys: ['name'] }),
      { selector: (item) => item.name, minLength: 1 },
    ),
    free: fc.dictionary(fc.constantFrom('a', 'b'), fc.oneof(word, words(word))),
  },
  { requiredKeys: [] },
);
/** One note stands in all objects: an object that nobody owns anything of is not tracked until somebody applies it. */
const objects = fc
  .record({ labels: words(word), spec }, { requiredKeys: [] })
  .map(({ labels, ...rest }): JsonObject =>
    freezeDeep(plain({ ...identity, metadata: { name: 'thing', note: 'x', ...(labels ? { labels } : {}) }, ...rest })),
  );
/** fast-check makes records without a prototype; the objects here are as JSON.parse makes them. */
const plain = <T>(value: T): T => JSON.parse(JSON.stringify(value)) as T;

interface Step {
  readonly manager: string;
  readonly verb: 'apply' | 'update';
  readonly object: JsonObject;
}
const steps = fc.array(
  fc.record<Step>({ manager: fc.constantFrom('one', 'two', 'three'), verb: fc.constantFrom('apply', 'update'), object: objects }),
  { minLength: 1, maxLength: 8 },
);
const request = (manager: string, second: number) => ({
  type,
  apiVersion: 'a/v1',
  manager,
  time: new Date(Date.UTC(2026, 0, 1, 0, 0, second)).toISOString().replace('.000', ''),
  empty: emptyObject(type, identity, false),
});

const applied = (live: JsonObject | undefined, object: JsonObject, manager: string, second = 0): JsonObject => {
  const result = applyConfiguration(live, object, { ...request(manager, second), force: true });
  if (result.outcome !== 'applied') throw new Error(JSON.stringify(result));
  return result.object;
};
const withUid = (object: JsonObject): JsonObject => freezeDeep({ ...object, metadata: { ...(object['metadata'] as object), uid: 'u' } });
const run = (sequence: readonly Step[]): JsonObject | undefined => {
  let live: JsonObject | undefined;
  for (const [second, { manager, verb, object }] of sequence.entries()) {
    const next = verb === 'apply' ? applied(live, object, manager, second) : trackUpdate(live, object, request(manager, second));
    live = withUid(next);
  }
  return live;
};
const withoutManagedFields = (object: JsonObject): JsonObject => {
  const { managedFields: _, uid: __, ...metadata } = object['metadata'] as Record<string, unknown>;
  return { ...object, metadata };
};
const nobodys = fieldSet(identity);
function fieldSet(object: object): PathSet {
  return ownedSet(type, { ...object, metadata: { name: 'thing' } });
}
/** All paths of an object, the containers too. */
const everyPath = (object: JsonObject): PathSet => {
  const whole = compare(type, { metadata: {} }, object);
  return union(whole.added, ownedSet(type, object));
};

test('after any sequence of writes every manager owns something that exists, and everything has an owner', (t) => {
  fc.assert(
    fc.property(steps, (sequence) => {
      const live = run(sequence);
      const managers = live === undefined ? undefined : readManagers(live);
      if (live === undefined || managers === undefined) return t.fail('managedFields must stay readable');
      const object = withoutManagedFields(live);
      let all: PathSet = nobodys;
      for (const manager of managers.values()) {
        t.false(isEmpty(manager.fields));
        const stray = difference(manager.fields, everyPath(object));
        t.deepEqual(pathsOf(stray), [], `${manager.name} owns what is not there`);
        all = union(all, manager.fields);
      }
      t.deepEqual(pathsOf(difference(ownedSet(type, withoutEmpty(object)), all)), [], 'without an owner');
    }),
    { numRuns: 300 },
  );
  t.pass();
});

test('what is applied by force is there, owned, and applying it again changes nothing', (t) => {
  fc.assert(
    fc.property(steps, objects, (sequence, configuration) => {
      const live = run(sequence);
      const once = withUid(applied(live, configuration, 'one', 20));
      if (!isSame(compare(type, once, mergeConfiguration(type, once, configuration))))
        throw new Error(JSON.stringify({ once, configuration }));
      const own = [...(readManagers(once)?.values() ?? [])].find((manager) => manager.name === 'one' && manager.operation === 'Apply');
      t.deepEqual(pathsOf(own?.fields ?? nobodys).length > 0, true);
      const again = applyConfiguration(once, configuration, { ...request('one', 30), force: false });
      t.deepEqual(again, { outcome: 'applied', object: once, isUnchanged: true });
    }),
    { numRuns: 300 },
  );
  t.pass();
});

test('a lone applier makes the object what it applies, whatever it applied before', (t) => {
  fc.assert(
    fc.property(fc.array(objects, { minLength: 1, maxLength: 5 }), (configurations) => {
      let live: JsonObject | undefined;
      for (const configuration of configurations) {
        live = applied(live, configuration, 'one');
        const { metadata: _, ...rest } = withoutManagedFields(live);
        const { metadata: __, ...wanted } = configuration;
        t.deepEqual(withoutEmpty(rest), withoutEmpty(wanted));
      }
    }),
    { numRuns: 300 },
  );
  t.pass();
});
/** Nobody owns an empty container that others have emptied, and no applier an empty list; both may be left behind. */
const withoutEmpty = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(withoutEmpty);
  if (typeof value !== 'object' || value === null) return value;
  const members = Object.entries(value).map(([key, member]) => [key, withoutEmpty(member)] as const);
  return Object.fromEntries(
    members.filter(([, member]) => !(typeof member === 'object' && member !== null && Object.keys(member).length === 0)),
  );
};

test('an update gives the writer exactly what it changed', (t) => {
  fc.assert(
    fc.property(objects, objects, (before, after) => {
      const live = withUid(trackUpdate(undefined, before, request('one', 0)));
      const next = trackUpdate(live, withUid(after), request('two', 1));
      const { added, modified } = compare(type, before, after);
      const changed = difference(union(added, modified), nobodys);
      const two = [...(readManagers(next)?.values() ?? [])].find((manager) => manager.name === 'two');
      t.deepEqual(pathsOf(two?.fields ?? nobodys), pathsOf(isEmpty(changed) ? nobodys : changed));
      const one = [...(readManagers(next)?.values() ?? [])].find((manager) => manager.name === 'one');
      t.true(one === undefined || isEmpty(intersection(one.fields, changed)));
    }),
    { numRuns: 300 },
  );
  t.pass();
});

test('comparing is symmetric, finds no difference in equal objects, and sets survive fieldsV1', (t) => {
  fc.assert(
    fc.property(objects, objects, (left, right) => {
      const [there, back] = [compare(type, left, right), compare(type, right, left)];
      t.deepEqual(pathsOf(there.added), pathsOf(back.removed));
      t.deepEqual(pathsOf(there.modified), pathsOf(back.modified));
      t.true(isSame(compare(type, left, plain(left))));
      for (const set of [there.added, there.removed, there.modified, ownedSet(type, left)]) {
        const read = readFieldsV1(plain(writeFieldsV1(set)));
        t.true(read !== undefined && equalSets(read, set));
      }
    }),
    { numRuns: 300 },
  );
  t.pass();
});

test('fieldsV1 of another form is refused, and keys are read in any notation', (t) => {
  for (const fields of [
    null,
    'x',
    [],
    { x: {} },
    { 'k:[]': {} },
    { 'k:{': {} },
    { 'v:': {} },
    { 'i:-1': {} },
    { 'f:a': 1 },
    { 'f:a': { b: {} } },
  ])
    t.is(readFieldsV1(fields), undefined, JSON.stringify(fields));
  t.deepEqual(writeFieldsV1(readFieldsV1({ 'k:{"b": 1, "a":"x"}': {}, 'v:1': {}, 'i:3': {}, 'f:f:x': {} }) ?? nobodys), {
    'f:f:x': {},
    'i:3': {},
    'k:{"a":"x","b":1}': {},
    'v:1': {},
  });
});
