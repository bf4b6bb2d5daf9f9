import { readFile } from 'node:fs/promises';
import { defineKind, Type } from '@tappaas/sdk';
import test from 'ava';
import {
  buildSchema,
  isEnumType,
  isInputObjectType,
  isInterfaceType,
  isObjectType,
  isIntrospectionType,
  isSpecifiedScalarType,
  validateSchema,
} from 'graphql';
import { referencePages } from '../../../../.ci/reference.ts';
import { composeSchema } from '../../../dist/api/graphql/schema/compose.js';
import { breakingChanges } from '../../../dist/api/graphql/schema/published.js';
import { startGraphql } from './graphql-server.ts';

const path = new URL('../../../../docs/reference/schema.graphql', import.meta.url);

test('every type, field, argument and word of the published schema is described', async (t) => {
  const schema = buildSchema((await referencePages())['reference/schema.graphql'] ?? '');
  const missing: string[] = [];
  let seen = 0;
  const check = (name: string, description: string | null | undefined): void => {
    seen += 1;
    if (!description || description.startsWith('Undescribed')) missing.push(name);
  };
  for (const type of Object.values(schema.getTypeMap())) {
    if (isIntrospectionType(type) || isSpecifiedScalarType(type)) continue;
    check(type.name, type.description);
    if (isEnumType(type)) for (const value of type.getValues()) check(`${type.name}.${value.name}`, value.description);
    if (!isObjectType(type) && !isInterfaceType(type) && !isInputObjectType(type)) continue;
    for (const field of Object.values(type.getFields())) {
      check(`${type.name}.${field.name}`, field.description);
      for (const argument of 'args' in field ? field.args : []) check(`${type.name}.${field.name}(${argument.name})`, argument.description);
    }
  }
  t.true(seen > 1_000, `${seen}`);
  t.deepEqual(missing, []);
});

test('the published schema only ever grows: nothing that clients may use has gone', async (t) => {
  const published = await readFile(path, 'utf8');
  t.deepEqual(breakingChanges(published, (await referencePages())['reference/schema.graphql'] ?? ''), []);
});

test('what would break clients is found: a field that goes, a type that changes, an input that becomes obligatory', (t) => {
  const before = 'type Query { a: Int b(c: Int): String }';
  t.deepEqual(breakingChanges(before, 'type Query { a: Int b(c: Int, d: Int): String e: Int }'), []);
  for (const after of ['type Query { a: Int }', 'type Query { a: String b(c: Int): String }', 'type Query { a: Int b(c: Int!): String }']) {
    t.is(breakingChanges(before, after).length, 1, after);
  }
});

test('a kind may be called like any type of the schema: it gets another name, and GraphQL goes on', async (t) => {
  const own = Object.values(buildSchema(await readFile(path, 'utf8')).getTypeMap()).filter((type) => !isInputObjectType(type));
  const names = own.map(({ name }) => name).filter((name) => /^[A-Z][A-Za-z0-9]*$/.test(name));
  t.true(names.length > 100);
  const kinds = names.map((kind) =>
    defineKind({
      group: 'example.com',
      kind,
      plural: `${kind.toLowerCase()}s`,
      version: 'v1',
      scope: 'Cluster',
      description: 'Called like something else.',
      spec: Type.Object({ value: Type.Optional(Type.String()) }),
      status: Type.Object({}),
    }),
  );
  const { engine } = await startGraphql(t, { kinds: kinds.map((kind) => ({ kind, plugin: 'example' })) });
  const schema = composeSchema({ kinds: engine.kinds(), actions: [], fields: [] });
  t.deepEqual(validateSchema(schema), []);
  for (const name of ['Hook', 'Placement', 'Viewer']) t.not(schema.getType(`ExampleCom${name}`), undefined, name);
});
