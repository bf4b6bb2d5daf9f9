import test from 'ava';
import { getOperationAST, parse } from 'graphql';
import { AnswerTypes, jsonType } from '../../../dist/api/graphql/answer-types.js';
import { PlannedOperation } from '../../../dist/api/graphql/document.js';
import { operationsMax, PreparedOperations } from '../../../dist/api/graphql/prepared-operations.js';
import { composeSchema } from '../../../dist/api/graphql/schema/compose.js';
import type { RequestOptions } from '../running-server.ts';
import { application, kindPaths, startGraphql } from './graphql-server.ts';

const query = 'query One { application(namespace: "team", name: "shop") { name metadata { labels { key value } } } }';
const text = JSON.stringify({ query });

/** Requests that are no plain ones; each must be answered in one way, whether or not its operation is known already. */
const requests: Readonly<Record<string, RequestOptions>> = {
  'a byte order mark before the body': { body: `\uFEFF${text}` },
  'bytes that are not UTF-8': { body: Buffer.concat([Buffer.from(text.slice(0, -1)), Buffer.of(0xff, 0xfe)]) },
  'no JSON': { body: `${text}}` },
  'no body': { body: '' },
  'an array': { body: `[${text}]` },
  'a key __proto__ in a variable': { body: `{"query":${JSON.stringify(query)},"variables":{"a":[{"__proto__":{}}]}}` },
  'variables nested too deeply': { body: `{"query":${JSON.stringify(query)},"variables":{"a":${'['.repeat(70)}${']'.repeat(70)}}}` },
  'more than 256 KiB': { body: JSON.stringify({ query, variables: { padding: 'x'.repeat(256 * 1024) } }) },
  'a body that is compressed': { body: text, headers: { 'content-encoding': 'gzip' } },
  'another media type': { body: text, headers: { 'content-type': 'text/plain' } },
  'another character set': { body: text, headers: { 'content-type': 'application/json; charset=latin1' } },
  'its character set': { body: text, headers: { 'content-type': 'Application/JSON; charset=utf-8' } },
  'an extension': { body: JSON.stringify({ query, extensions: {} }) },
  'the answer as a type of its own': { body: text, headers: { accept: 'application/graphql-response+json' } },
  'an operation that is not there': { body: JSON.stringify({ query, operationName: 'Two' }) },
  'no credential': { body: text, as: '' },
  'a method that is not served': { method: 'PUT', body: text },
};

test('whatever is sent is answered in the same way before and after its operation is known', async (t) => {
  const [before, after] = await Promise.all([startGraphql(t), startGraphql(t)]);
  for (const { put } of [before, after]) await put(kindPaths.applications, application('shop'));
  for (let turn = 0; turn < 3; turn += 1) t.is((await after.ask(query)).json.data.application.name, 'shop');
  for (const [what, options] of Object.entries(requests)) {
    // oxlint-disable-next-line no-await-in-loop -- a server that has been asked nothing, for each
    const fresh = await startGraphql(t);
    await fresh.put(kindPaths.applications, application('shop'));
    const [first, again] = [
      await fresh.http('/graphql', { method: 'POST', ...options }),
      await after.http('/graphql', { method: 'POST', ...options }),
    ];
    t.deepEqual([again.status, again.headers['content-type']], [first.status, first.headers['content-type']], what);
    const plain = (said: string): string => said.replaceAll(/"requestId":"[^"]*"/g, '').trim();
    t.is(plain(again.text), plain(first.text), what);
  }
});

test('what a client accepts is answered alike, compiled and not, in the type that it prefers', async (t) => {
  const graphqlType = 'application/graphql-response+json; charset=utf-8';
  const accepts = {
    'application/graphql-response+json, application/json': graphqlType,
    'application/json;q=0.5, application/graphql-response+json': graphqlType,
    'application/json, text/event-stream, multipart/mixed': jsonType,
    'application/*': jsonType,
  };
  const { put, http } = await startGraphql(t);
  await put(kindPaths.applications, application('shop'));
  const wrong = JSON.stringify({ query: query.replace('One {', 'One($a: String!) {').replace('"shop"', '$a'), variables: { a: [7] } });
  for (const [accept, type] of Object.entries(accepts)) {
    for (let turn = 0; turn < 4; turn += 1) {
      const ask = (body: string) => http('/graphql', { method: 'POST', body, headers: { accept } });
      const [right, refused] = [await ask(text), await ask(wrong)];
      t.deepEqual([right.status, right.headers['content-type'], right.json.data.application.name], [200, type, 'shop'], accept);
      t.deepEqual([refused.status, refused.headers['content-type']], [400, type], accept);
      t.is(refused.json.errors[0].extensions.code, 'TAP_GRAPHQL_VARIABLES_INVALID');
    }
  }
  t.is((await http('/graphql', { method: 'POST', body: text, headers: { accept: 'image/png' } })).status, 406);
});

test('types of answers are remembered for so many clients, and no others than those that are written', (t) => {
  const types = new AnswerTypes();
  types.learn('a', 'text/html');
  types.learn('x'.repeat(513), jsonType);
  t.deepEqual([types.get('a'), types.get('x'.repeat(513)), types.get('*/*')], [undefined, undefined, jsonType]);
  for (let index = 0; index < 100; index += 1) types.learn(String(index), jsonType);
  t.is(Array.from({ length: 100 }, (_, index) => types.get(String(index))).filter(Boolean).length, 61);
});

test('an answer that is known has the headers of every other, and a length in bytes', async (t) => {
  const { put, ask } = await startGraphql(t);
  await put(kindPaths.applications, {
    ...application('shop'),
    metadata: { name: 'shop', namespace: 'team', labels: { app: 'a' }, annotations: { said: 'grüße ✓' } } as never,
  });
  const requested = '{ application(namespace: "team", name: "shop") { metadata { annotations { value } } } }';
  const answers = [];
  for (let turn = 0; turn < 3; turn += 1) answers.push(await ask(requested));
  for (const { headers, bytes, text: said } of answers) {
    t.is(said.trim(), '{"data":{"application":{"metadata":{"annotations":[{"value":"grüße ✓"}]}}}}');
    t.is(headers['content-length'], String(bytes.byteLength));
    t.is(headers['x-content-type-options'], 'nosniff');
    t.is(headers['cache-control'], 'no-cache, private');
    t.regex(String(headers['x-request-id']), /^test-/);
  }
});

test('operations are remembered up to a bound, and one that is asked on and on is never forgotten', async (t) => {
  const { engine } = await startGraphql(t);
  const schema = composeSchema({ kinds: engine.kinds(), actions: [], fields: [] });
  const prepared = new PreparedOperations(schema);
  const document = parse('{ viewer { name } }');
  const operation = getOperationAST(document);
  if (!operation) throw new Error('there is no operation');
  const made = { plan: new PlannedOperation(schema, document, operation), hash: '' };
  prepared.remember('often', undefined, made);
  for (let index = 0; index < 3 * operationsMax; index += 1) {
    prepared.remember(`once ${index}`, undefined, made);
    t.truthy(prepared.get('often', undefined));
    if (prepared.size > operationsMax) t.fail(`${prepared.size} are remembered`);
  }
  t.is(prepared.get('once 0', undefined), undefined);
  t.truthy(prepared.get(`once ${3 * operationsMax - 1}`, undefined));
  prepared.remember('x'.repeat(16 * 1024 + 1), undefined, made);
  t.is(prepared.get('x'.repeat(16 * 1024 + 1), undefined), undefined);
});
