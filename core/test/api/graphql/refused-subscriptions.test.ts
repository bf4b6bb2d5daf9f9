import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import test from 'ava';
import { WebSocket } from 'ws';
import { MessageGate, messagesAtOnceMax } from '../../../dist/api/graphql/message-gate.js';
import { flowErrors } from '../../../dist/flow/errors.js';
import { application, kindPaths, startGraphql, type GraphqlServer, type GraphqlServerOptions } from './graphql-server.ts';

interface Payload {
  readonly query: string;
  readonly operationName?: string;
  readonly variables?: object;
  readonly documentId?: string;
  readonly extensions?: object;
}

interface Told {
  readonly id: string;
  readonly payload: readonly { readonly message: string; readonly locations?: unknown; readonly extensions: { readonly code: string } }[];
}

/** A connection that sends what it is given, and hears what it was refused. */
async function open(t: { teardown(close: () => void): void }, port: number) {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/graphql`, 'graphql-transport-ws', { headers: { authorization: 'Bearer admin' } });
  t.teardown(() => socket.terminate());
  await once(socket, 'open');
  socket.send('{"type":"connection_init"}');
  await once(socket, 'message');
  const refused: Told[] = [];
  const reported = new Set<string>();
  socket.on('message', (data: Buffer) => {
    const message = JSON.parse(data.toString()) as Told & { readonly type: string };
    if (message.type === 'error') refused.push(message);
    if (message.type === 'next') reported.add(message.id);
  });
  return { refused, reported, send: (id: string, payload: Payload) => socket.send(JSON.stringify({ id, type: 'subscribe', payload })) };
}

async function until(isTrue: () => boolean): Promise<void> {
  while (!isTrue()) await delay(5);
}

/** What audit was told of parts of the connection. */
const parts = ({ audited }: GraphqlServer) =>
  audited
    .filter(({ isPart }) => isPart)
    .map(({ verb, path, caller, outcome: { status, errorCode, decision, annotations } }) => ({
      what: `${caller?.name} ${verb} ${path}`,
      reported: [status, errorCode, decision?.decision, annotations?.get('graphql.operation')],
    }));

const deep = `subscription Deep { applicationChanges { object { ${'operations(first: 1) { object { ... on Application { '.repeat(5)} name ${'} } }'.repeat(5)} } } }`;
const refusals: Readonly<Record<string, readonly [Payload, status: number, code: string, operation?: string]>> = {
  'no GraphQL': [{ query: 'subscription {' }, 400, 'TAP_GRAPHQL_DOCUMENT_INVALID'],
  'a field that is not there': [{ query: 'subscription { nothing }' }, 400, 'TAP_GRAPHQL_DOCUMENT_INVALID'],
  'a query': [{ query: '{ viewer { name } }' }, 400, 'TAP_GRAPHQL_REQUEST_INVALID'],
  'an operation that is not there': [
    { query: 'subscription A { applicationChanges { type } }', operationName: 'B' },
    400,
    'TAP_GRAPHQL_OPERATION_UNKNOWN',
  ],
  'too many levels': [{ query: deep }, 400, 'TAP_GRAPHQL_TOO_DEEP', 'subscription Deep'],
  'a variable that is missing': [
    { query: 'subscription V($n: String!) { applicationChanges(name: $n) { type } }' },
    400,
    'TAP_GRAPHQL_VARIABLES_INVALID',
    'subscription V',
  ],
  'a variable that does not fit': [
    { query: 'subscription V($n: String!) { applicationChanges(name: $n) { type } }', variables: { n: ['a', 'b'] } },
    400,
    'TAP_GRAPHQL_VARIABLES_INVALID',
    'subscription V',
  ],
};

for (const [what, [payload, status, code, operation]] of Object.entries(refusals)) {
  test(`a subscription that is refused for ${what} is an event of audit by itself`, async (t) => {
    const server = await startGraphql(t);
    const { send, refused } = await open(t, server.port);
    send('1', payload);
    await until(() => refused.length === 1);
    t.is(refused[0]?.payload[0]?.extensions.code, code);
    t.deepEqual(parts(server), [{ what: 'admin get /graphql', reported: [status, code, 'allow', operation] }]);
  });
}

test('subscriptions that there is no room for are told to audit: those beyond the bound of a connection, and 429', async (t) => {
  const room = { seats: 101 };
  const flow: GraphqlServerOptions['flow'] = ({ stream }) => {
    if (stream && room.seats === 0) throw flowErrors.TAP_FLOW_FULL({ message: 'no more' });
    if (stream) room.seats -= 1;
    return { release: () => {} };
  };
  const server = await startGraphql(t, { flow });
  const { send, refused } = await open(t, server.port);
  for (let index = 0; index < 99; index += 1) send(String(index), { query: 'subscription { applicationChanges { type } }' });
  await until(() => room.seats === 1);
  room.seats = 0;
  send('full', { query: 'subscription { applicationChanges { type } }' });
  await until(() => refused.length === 1);
  room.seats = 1;
  send('last', { query: 'subscription { applicationChanges { type } }' });
  await until(() => room.seats === 0);
  send('more', { query: 'subscription { applicationChanges { type } }' });
  await until(() => refused.length === 2);
  t.deepEqual(
    parts(server).map(({ reported }) => reported),
    [
      [429, 'TAP_FLOW_FULL', 'allow', undefined],
      [400, 'TAP_GRAPHQL_TOO_MANY_SUBSCRIPTIONS', 'allow', undefined],
    ],
  );
});

test('over a WebSocket, too, the schema is told only where the operator lets it, and nothing is suggested', async (t) => {
  for (const introspection of [true, false]) {
    const server = await startGraphql(t, { graphql: { introspection } });
    const { send, refused } = await open(t, server.port);
    send('1', { query: 'subscription { applicationChange { type } }' });
    await until(() => refused.length === 1);
    t.is(JSON.stringify(refused[0]).includes('Did you mean'), introspection);
  }
});

test('what is wrong with a document is told with its place, and a version that is none by the name of its argument', async (t) => {
  const server = await startGraphql(t);
  const { send, refused } = await open(t, server.port);
  send('1', { query: 'subscription {\n  nothing\n}' });
  await until(() => refused.length === 1);
  send('2', { query: 'subscription {\n' });
  await until(() => refused.length === 2);
  t.deepEqual(
    refused.map(({ payload }) => payload[0]?.locations),
    [[{ line: 2, column: 3 }], [{ line: 2, column: 1 }]],
  );
  send('3', { query: 'subscription { applicationChanges(since: "none") { type } }' });
  await until(() => refused.length === 3);
  const [error] = refused[2]?.payload ?? [];
  t.deepEqual([error?.extensions.code, error?.message.startsWith('since: ')], ['TAP_GRAPHQL_ARGUMENT_INVALID', true]);
});

test('with trusted documents, only these are followed, by hash or by text', async (t) => {
  const trusted = 'subscription Follow { applicationChanges { type } }';
  const hash = createHash('sha256').update(trusted).digest('hex');
  const server = await startGraphql(t, { graphql: { introspection: false, documents: new Map([[hash, trusted]]) } });
  await server.put(kindPaths.applications, application('shop'));
  const { send, refused, reported } = await open(t, server.port);
  const good: readonly Payload[] = [
    { query: '', documentId: `sha256:${hash}` },
    { query: '', documentId: hash },
    { query: '', extensions: { persistedQuery: { version: 1, sha256Hash: hash } } },
    { query: trusted },
  ];
  for (const [index, payload] of good.entries()) send(`good ${index}`, payload);
  await until(() => reported.size === good.length);
  const bad: readonly Payload[] = [{ query: `${trusted} ` }, { query: '', documentId: 'f'.repeat(64) }, { query: '' }];
  for (const [index, payload] of bad.entries()) send(`bad ${index}`, payload);
  await until(() => refused.length === bad.length);
  for (const { id, payload } of refused) {
    t.true(id.startsWith('bad'));
    t.is(payload[0]?.extensions.code, 'TAP_GRAPHQL_DOCUMENT_UNKNOWN');
  }
});

test('an audit that takes its time holds up the connection that it is told of, and what waits is bounded', async (t) => {
  const kept = Promise.withResolvers<void>();
  let [begun, ended] = [0, 0];
  const server = await startGraphql(t, {
    audit: async ({ isPart }) => {
      if (!isPart) return { end: () => {} };
      begun += 1;
      await kept.promise;
      return { end: () => void (ended += 1) };
    },
  });
  const { send, refused } = await open(t, server.port);
  const query = `subscription { nothing } # ${'x'.repeat(8_000)}`;
  for (let index = 0; index < 400; index += 1) send(String(index), { query });
  await until(() => begun >= messagesAtOnceMax);
  await delay(200);
  t.true(begun < 2 * messagesAtOnceMax, `${begun} are being told`);
  t.is(refused.length, 0);
  kept.resolve();
  await until(() => refused.length === 400);
  t.deepEqual([begun, ended], [400, 400]);
});

test('a refusal that cannot be audited is logged, and the client learns why it was refused', async (t) => {
  const server = await startGraphql(t, {
    audit: ({ isPart }) => {
      if (isPart) throw new Error('the sink has gone');
      return { end: () => {} };
    },
  });
  const { send, refused } = await open(t, server.port);
  send('1', { query: 'subscription { nothing }' });
  await until(() => refused.length === 1);
  t.is(refused[0]?.payload[0]?.extensions.code, 'TAP_GRAPHQL_DOCUMENT_INVALID');
  t.deepEqual(
    server.logged.map(({ message }) => message),
    ['a refused subscription was not audited'],
  );
});

test('a gate stops and starts reading once for each time that it is full', async (t) => {
  const said: string[] = [];
  const gate = new MessageGate({ pause: () => void said.push('pause'), resume: () => void said.push('resume') });
  const waiting = Array.from({ length: messagesAtOnceMax + 1 }, () => Promise.withResolvers<void>());
  const all = waiting.map(({ promise }) => gate.through(promise));
  t.deepEqual(said, ['pause']);
  for (const { resolve } of waiting) resolve();
  await Promise.all(all);
  t.deepEqual(said, ['pause', 'resume']);
});
