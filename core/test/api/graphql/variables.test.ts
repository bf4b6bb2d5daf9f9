import { deepEqual } from 'node:assert/strict';
import test from 'ava';
import { assert, asyncProperty, constantFrom, integer, option, record, tuple } from 'fast-check';
import { buildSchema, execute, GraphQLScalarType, Kind, parse, validate, type GraphQLSchema } from 'graphql';
import { compileOperation } from '../../../dist/api/graphql/compiled-operation.js';
import type { GraphqlContext } from '../../../dist/api/graphql/context.js';
import { application, kindPaths, startGraphql, type GraphqlServer } from './graphql-server.ts';

/** One answer, given by what executes an operation the first time and by what was compiled of it. */
async function bothWays(t: { deepEqual(one: unknown, other: unknown): void }, { ask }: GraphqlServer, query: string, variables?: object) {
  const executed = await ask(query, variables);
  const compiled = await ask(query, variables);
  const { errors, data } = compiled.json;
  t.deepEqual([compiled.status, data, codesOf(errors)], [executed.status, executed.json.data, codesOf(executed.json.errors)]);
  return compiled;
}

const codesOf = (errors: readonly { readonly extensions: { readonly code: string } }[] | undefined) =>
  errors?.map(({ extensions }) => extensions.code);

test('a variable that is left out has its default, the first time and when the operation is asked again', async (t) => {
  const server = await startGraphql(t);
  for (const name of ['shop', 'shop-2']) await server.put(kindPaths.applications, application(name));
  const namesOf = async (query: string, variables?: object) =>
    (await bothWays(t, server, query, variables)).json.data.applications.nodes.map(({ name }: { readonly name: string }) => name);
  const page = 'query P($n: Int! = 1) { applications(first: $n) { nodes { name } } }';
  t.deepEqual(await namesOf(page), ['shop']);
  t.deepEqual(await namesOf(page, { n: 2 }), ['shop', 'shop-2']);
  t.deepEqual(await namesOf('query Q($n: Int = 1) { applications(first: $n) { nodes { name } } }'), ['shop']);
  t.deepEqual(await namesOf('query R($n: Int) { applications(first: $n) { nodes { name } } }'), ['shop', 'shop-2']);
  const skipped = await bothWays(
    t,
    server,
    'query S($s: Boolean! = true) { applications { nodes { name @skip(if: $s) id @include(if: $s) } } }',
  );
  t.deepEqual(Object.keys(skipped.json.data.applications.nodes[0]), ['id']);
});

test('defaults of input objects, enumerations and lists count in mutations and queries', async (t) => {
  const server = await startGraphql(t);
  const create = `mutation M($input: CreateConfigMapInput! = { namespace: "team", name: "made", data: [{ key: "a", value: "b" }], dryRun: true }) {
    createConfigMap(input: $input) { object { name data { key value } } } }`;
  t.deepEqual((await bothWays(t, server, create)).json.data.createConfigMap.object, { name: 'made', data: [{ key: 'a', value: 'b' }] });
  const remove = `mutation D($how: Propagation! = FOREGROUND, $input: DeleteApplicationInput! = { namespace: "team", name: "none", propagation: ORPHAN }) {
    a: deleteApplication(input: { namespace: "team", name: "none", propagation: $how }) { userErrors { code } }
    b: deleteApplication(input: $input) { userErrors { code } } }`;
  const none = { userErrors: [{ code: 'TAP_OBJECT_NOT_FOUND' }] };
  t.deepEqual((await bothWays(t, server, remove)).json.data, { a: none, b: none });
  t.deepEqual((await bothWays(t, server, 'query N($ids: [ID!]! = "x") { nodes(ids: $ids) { id } }')).json.data, { nodes: [null] });
});

test('a field of an input whose variable is left out is not written, however often it is asked', async (t) => {
  const server = await startGraphql(t);
  await server.put(kindPaths.applications, application('shop', { runtime: 'gpu' }));
  const update = `mutation U($labels: [StringEntryInput!], $runtime: String) {
    updateApplication(input: { namespace: "team", name: "shop", labels: $labels, spec: { runtime: $runtime } }) {
      object { metadata { labels { key } } spec { runtime } } userErrors { message } } }`;
  const { object } = (await bothWays(t, server, update)).json.data.updateApplication;
  t.deepEqual(object, { metadata: { labels: [{ key: 'app' }] }, spec: { runtime: 'gpu' } });
});

test('null where none is taken is the error of who sends it', async (t) => {
  const server = await startGraphql(t);
  for (const type of ['Int! = 1', 'Int = 1']) {
    const { json } = await bothWays(t, server, `query N($n: ${type}) { applications(first: $n) { nodes { name } } }`, { n: null });
    t.deepEqual(codesOf(json.errors), ['TAP_GRAPHQL_VARIABLES_INVALID'], type);
  }
  t.deepEqual(server.logged, []);
});

const echo = buildSchema(`
  scalar JSON
  enum Size { SMALL LARGE }
  input Deep { number: Int = 7, required: Int!, size: Size = SMALL, list: [Int!] }
  input Tree { number: Int = 7, under: [Tree!] }
  type Query { echo(tree: Tree, number: Int, counted: Int! = 3, size: Size = LARGE, list: [Int!], nested: [[Int]], text: String, id: ID, deep: Deep): JSON }
`);
Object.assign(echo.getType('JSON') as GraphQLScalarType, { serialize: (value: unknown) => value });
const field = echo.getQueryType()?.getFields()['echo'];
if (field !== undefined) field.resolve = (_, given) => given;

async function reported(schema: GraphQLSchema, text: string, variableValues: Readonly<Record<string, unknown>>) {
  const document = parse(text);
  const [operation] = document.definitions;
  if (validate(schema, document).length > 0 || operation?.kind !== Kind.OPERATION_DEFINITION) return undefined;
  const executed = await execute({ schema, document, variableValues });
  const compiled = compileOperation(schema, document, operation);
  const again = compiled === undefined ? executed : await compiled.query(undefined, {} as GraphqlContext, variableValues);
  // As it goes over the wire: without prototypes.
  const shown = ({ data, errors = [] }: typeof executed): unknown =>
    JSON.parse(JSON.stringify([data?.['echo'] ?? null, errors.length > 0]));
  return { isCompiled: compiled !== undefined, executed: shown(executed), again: shown(again) };
}

test('whatever types, defaults and values variables have, both ways answer the same', async (t) => {
  const shapes = [
    { argument: 'number', type: 'Int', defaults: ['1', 'null'], values: [5, null, '5', 1.5] },
    { argument: 'counted', type: 'Int', defaults: ['1', 'null'], values: [5, null, '5', 2 ** 31] },
    { argument: 'size', type: 'Size', defaults: ['SMALL', 'null'], values: ['SMALL', null, 'HUGE', 1] },
    { argument: 'list', type: '[Int!]', defaults: ['[1, 2]', '1', '[]'], values: [[1], 1, [null], null, ['x']] },
    { argument: 'nested', type: '[[Int]]', defaults: ['[[1]]', '1', '[[null]]'], values: [[[1]], [1], 1, [null]] },
    { argument: 'text', type: 'String', defaults: ['"a"', '"""b"""', 'null'], values: ['c', '', null, 1] },
    { argument: 'id', type: 'ID', defaults: ['1', '"a"'], values: ['c', 1, null, 1.5] },
    { argument: 'tree', type: 'Tree', defaults: ['{ under: {} }'], values: [{ under: [{ number: 1 }] }, { under: {} }, null] },
    {
      argument: 'deep',
      type: 'Deep',
      defaults: ['{ required: 1 }', '{ required: 1, number: null, list: 4 }', 'null'],
      values: [
        { required: 1 },
        { required: 1, size: 'LARGE', list: [1] },
        {},
        { required: 1, more: 1 },
        { required: 1, number: null },
        [],
        'x',
      ],
    },
  ];
  let compiled = 0;
  const use = record({ index: integer({ min: 0, max: shapes.length - 1 }), byDefault: option(integer({ min: 0, max: 2 })) });
  const given = tuple(constantFrom('', '!'), option(integer({ min: 0, max: 6 })), constantFrom('argument', 'field', 'item'));
  await assert(
    asyncProperty(use, given, async ({ index, byDefault }, [mark, sent, place]) => {
      const shape = shapes[index];
      if (shape === undefined) return;
      const { argument, type, defaults, values } = shape;
      const fallback = byDefault === null ? '' : ` = ${defaults[byDefault % defaults.length]}`;
      const at = { argument: `${argument}: $v`, field: `deep: { required: 0, ${argument}: $v }`, item: 'list: [1, $v]' }[place];
      const variables = sent === null ? {} : { v: values[sent % values.length] };
      const both = await reported(echo, `query Q($v: ${type}${mark}${fallback}) { echo(${at}) }`, variables);
      if (both?.isCompiled === true) compiled += 1;
      deepEqual(both?.again, both?.executed, `$v: ${type}${mark}${fallback} at ${at} of ${JSON.stringify(variables)}`);
    }),
    { numRuns: 500 },
  );
  t.true(compiled > 100);
});
