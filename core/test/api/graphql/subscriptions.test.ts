import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import test from 'ava';
import { WebSocket } from 'ws';
import { flowErrors } from '../../../dist/flow/errors.js';
import { application, kindPaths, startGraphql } from './graphql-server.ts';
import { connect, changes, update } from './subscriber.ts';

test('changes are told in order, from what is there, until the subscriber has enough', async (t) => {
  const server = await startGraphql(t);
  await server.put(kindPaths.applications, application('shop'));
  const { follow } = connect(t, server.port);
  const changed = follow(changes);
  const reported = async () => {
    const { type, object } = (await changed.next()).data.applicationChanges;
    return [type, object.name, object.spec.runtime];
  };
  t.deepEqual(await reported(), ['ADDED', 'shop', 'standard']);
  await server.put(kindPaths.applications, application('other'));
  t.deepEqual(await reported(), ['ADDED', 'other', 'standard']);
  await update(server, 'shop', { spec: { runtime: 'gpu' } });
  t.deepEqual(await reported(), ['MODIFIED', 'shop', 'gpu']);
  await server.ask('mutation { deleteApplication(input: { namespace: "team", name: "shop" }) { userErrors { code } } }');
  t.deepEqual(await reported(), ['DELETED', 'shop', 'gpu']);
  changed.stop();
  t.is(await changed.ended, undefined);
});

test('each subscription has a seat of a stream until it is over, however it ends', async (t) => {
  const seats = new Set<symbol>();
  const flow = ({ stream }: { readonly stream: boolean }) => {
    if (!stream) return { release: () => {} };
    if (seats.size >= 3) throw flowErrors.TAP_FLOW_FULL({ message: 'three streams are running' });
    const seat = Symbol('seat');
    seats.add(seat);
    return { release: () => void seats.delete(seat) };
  };
  const server = await startGraphql(t, { flow });
  await server.put(kindPaths.applications, application('shop'));
  const { client, closed, follow } = connect(t, server.port);
  const [first, second] = [follow(changes), follow(changes)];
  await Promise.all([first.next(), second.next()]);
  t.is(seats.size, 3);
  const [refusal] = (await follow(changes).ended) as { extensions: { code: string } }[];
  t.is(refusal?.extensions.code, 'TAP_FLOW_FULL');
  first.stop();
  await first.ended;
  while (seats.size > 2) await delay(5);
  await follow('subscription { nothing }').ended;
  await follow('subscription { applicationChanges(namespace: "team", since: "no version") { type } }').ended;
  while (seats.size > 2) await delay(5);
  await follow(changes).next();
  t.is(seats.size, 3);
  await client.dispose();
  await closed;
  while (seats.size > 0) await delay(5);
  t.pass();
});

test('a change of what is not selected is not told', async (t) => {
  const server = await startGraphql(t);
  await server.put(kindPaths.applications, application('shop'));
  const changed = connect(t, server.port).follow(changes);
  t.is((await changed.next()).data.applicationChanges.type, 'ADDED');
  await update(server, 'shop', { labels: [{ key: 'color', value: 'blue' }] });
  await update(server, 'shop', { spec: { pin: 'shop-1' } });
  await update(server, 'shop', { spec: { runtime: 'edge' } });
  const { type, object } = (await changed.next()).data.applicationChanges;
  t.deepEqual([type, object.spec.runtime], ['MODIFIED', 'edge']);
});

test('a subscription goes on behind the change that was told last, on another connection', async (t) => {
  const server = await startGraphql(t);
  await server.put(kindPaths.applications, application('shop'));
  const one = connect(t, server.port);
  const { resourceVersion } = (await one.follow(changes).next()).data.applicationChanges;
  await one.client.dispose();
  await update(server, 'shop', { spec: { runtime: 'gpu' } });
  await server.put(kindPaths.applications, application('late'));
  const resumed = connect(t, server.port).follow(changes, { since: resourceVersion });
  t.deepEqual(
    [(await resumed.next()).data.applicationChanges, (await resumed.next()).data.applicationChanges].map(({ type, object }) => [
      type,
      object.name,
    ]),
    [
      ['MODIFIED', 'shop'],
      ['ADDED', 'late'],
    ],
  );
});

test('a subscription that broke while it told what is there goes on without leaving anything out', async (t) => {
  const server = await startGraphql(t);
  // Objects come in the order of names, so the first one that is told is the newest.
  for (const name of ['c', 'b', 'a']) await server.put(kindPaths.applications, application(name));
  const one = connect(t, server.port).follow(changes);
  const reported: string[] = [];
  for (const _ of ['a', 'b', 'c']) {
    const { object, resourceVersion } = (await one.next()).data.applicationChanges;
    reported.push(object.name);
    const resumed = connect(t, server.port).follow(changes, { since: resourceVersion });
    await server.put(kindPaths.applications, application(`later-${object.name}`));
    const names: string[] = [];
    while (names.at(-1) !== `later-${object.name}`) names.push((await resumed.next()).data.applicationChanges.object.name);
    for (const name of ['a', 'b', 'c']) t.true([...reported, ...names].includes(name), `${name} after ${object.name}`);
  }
  t.deepEqual(reported, ['a', 'b', 'c']);
});

test('a variable that is left out has its default in every event', async (t) => {
  const server = await startGraphql(t);
  await server.put(kindPaths.applications, application('shop'));
  const { follow } = connect(t, server.port);
  const query = `subscription D($in: String! = "team", $named: Boolean! = false, $first: Int! = 1) {
    applicationChanges(namespace: $in) { type object { id @skip(if: $named) name @include(if: $named) releases(first: $first) { name } } } }`;
  const objectOf = async (variables?: Record<string, unknown>) => (await follow(query, variables).next()).data?.applicationChanges.object;
  t.deepEqual(Object.keys((await objectOf()) ?? {}), ['id', 'releases']);
  t.deepEqual(await objectOf({ named: true }), { name: 'shop', releases: [] });
});

test('a page and a subscription since its version leave no gap', async (t) => {
  const server = await startGraphql(t);
  await server.put(kindPaths.applications, application('shop'));
  const { applications } = (await server.ask('{ applications { resourceVersion nodes { name } } }')).json.data;
  await server.put(kindPaths.applications, application('next'));
  const changed = connect(t, server.port).follow(changes, { since: applications.resourceVersion });
  t.is((await changed.next()).data.applicationChanges.object.name, 'next');
});

test('a version whose history is gone is an error that says what to do', async (t) => {
  const { port } = await startGraphql(t);
  const changed = connect(t, port).follow(changes, { since: '999999999' });
  const [error] = (await changed.ended) as { extensions: { code: string; remedy: string } }[];
  t.is(error?.extensions.code, 'TAP_OBJECT_UNKNOWN_VERSION');
  t.regex(error?.extensions.remedy ?? '', /List again/);
});

test('an operation is followed to its end', async (t) => {
  const server = await startGraphql(t);
  const target = { group: 'apps.tappaas.dev', kind: 'Application', name: 'shop', uid: 'u', generation: 1 };
  await server.put(kindPaths.operations, { metadata: { name: 'shop-deploy-1', namespace: 'team' }, spec: { verb: 'deploy', target } });
  const progress = connect(t, server.port).follow(
    'subscription { operationProgress(namespace: "team", name: "shop-deploy-1") { status { phase percent steps { name phase } } } }',
  );
  t.is((await progress.next()).data.operationProgress.status, null);
  const status = async (value: object) => {
    const path = '/apis/ops.tappaas.dev/v1alpha1/namespaces/team/operations/shop-deploy-1/status';
    const headers = { 'content-type': 'application/merge-patch+json' };
    t.is((await server.http(path, { method: 'PATCH', body: { status: value }, headers })).status, 200);
  };
  await status({ phase: 'Running', percent: 40, steps: [{ name: 'build', phase: 'Running' }] });
  t.deepEqual((await progress.next()).data.operationProgress.status, {
    phase: 'Running',
    percent: 40,
    steps: [{ name: 'build', phase: 'Running' }],
  });
  await status({ phase: 'Succeeded', percent: 100 });
  t.is((await progress.next()).data.operationProgress.status.phase, 'Succeeded');
  t.is(await progress.ended, undefined);
});

test('the output of an application that does not exist is not taken for one that writes nothing', async (t) => {
  const server = await startGraphql(t);
  const query = 'subscription { applicationLogs(namespace: "team", name: "shop") { text } }';
  const { follow } = connect(t, server.port);
  const [error] = (await follow(query).ended) as { message: string; extensions: { code: string } }[];
  t.deepEqual([error?.extensions.code, error?.message], ['TAP_OBJECT_NOT_FOUND', 'applications "shop" not found']);
  await server.put(kindPaths.applications, application('shop'));
  const [unknown] = (await follow(query.replace('name: "shop"', 'name: "shop", process: "db"')).ended) as {
    message: string;
    extensions: { code: string };
  }[];
  t.deepEqual(
    [unknown?.extensions.code, unknown?.message],
    ['TAP_OBJECT_NOT_FOUND', 'applications "shop" has no process "db"; it has web'],
  );
});

test('an operation that does not exist is not waited for, and audit is told so', async (t) => {
  const server = await startGraphql(t);
  const { follow } = connect(t, server.port);
  const query = 'subscription P($namespace: String!) { operationProgress(namespace: $namespace, name: "shop-deploy-1") { name } }';
  const target = { group: 'apps.tappaas.dev', kind: 'Application', name: 'shop', uid: 'u', generation: 1 };
  await server.put(kindPaths.operations, { metadata: { name: 'shop-deploy-1', namespace: 'other' }, spec: { verb: 'deploy', target } });
  const missing = follow(query, { namespace: 'team' });
  const [error] = (await missing.ended) as { message: string; extensions: { code: string } }[];
  t.is(error?.extensions.code, 'TAP_OBJECT_NOT_FOUND');
  t.is(error?.message, 'operations "shop-deploy-1" not found');
  const reported = server.audited
    .filter(({ isPart }) => isPart)
    .map(({ verb, outcome: { status, errorCode } }) => [verb, status, errorCode]);
  t.deepEqual(reported, [['watch', 404, 'TAP_OBJECT_NOT_FOUND']]);
  await server.put(kindPaths.operations, { metadata: { name: 'shop-deploy-1', namespace: 'team' }, spec: { verb: 'deploy', target } });
  t.is((await follow(query, { namespace: 'team' }).next()).data.operationProgress.name, 'shop-deploy-1');
  const refused = async (text: string, variables: Record<string, unknown>) => {
    const [each] = (await follow(text, variables).ended) as { message: string; extensions: { code: string } }[];
    return [each?.extensions.code, each?.message];
  };
  const invalid = 'TAP_GRAPHQL_ARGUMENT_INVALID';
  t.deepEqual(await refused(query.replace('shop-deploy-1', ''), { namespace: 'team' }), [
    invalid,
    'name: expected that of an operation, found none',
  ]);
  t.deepEqual(await refused(query, { namespace: '' }), [invalid, 'namespace: expected that of an operation, found none']);
});

test('an empty name or namespace of changes is refused: it would follow all objects', async (t) => {
  const { follow } = connect(t, (await startGraphql(t)).port);
  const query = 'subscription C($name: String, $namespace: String) { applicationChanges(name: $name, namespace: $namespace) { type } }';
  for (const [field, variables] of Object.entries({ name: { name: '', namespace: 'team' }, namespace: { namespace: '' } })) {
    const [error] = (await follow(query, variables).ended) as { message: string; extensions: { code: string; field: string } }[];
    t.like(error, {
      message: `${field}: expected the ${field} to follow, or null for all, found an empty text`,
      extensions: { code: 'TAP_GRAPHQL_ARGUMENT_INVALID', field },
    });
  }
});

test('a name of changes is not read as a selector, so that access is checked for the object that is followed', async (t) => {
  const { port, put } = await startGraphql(t);
  await put(kindPaths.applications, application('shop'));
  const { follow } = connect(t, port);
  const query =
    'subscription C($name: String) { applicationChanges(namespace: "team", name: $name, bookmarks: true) { type object { name } } }';
  for (const [name, first] of Object.entries({ shop: 'ADDED', '=shop': 'BOOKMARK', 'shop,metadata.name=shop': 'BOOKMARK' }))
    t.like(await follow(query, { name }).next(), { data: { applicationChanges: { type: first } } }, name);
});

test('a client that takes seconds to begin is waited for', async (t) => {
  const { port } = await startGraphql(t);
  const socket = new WebSocket(`ws://127.0.0.1:${port}/graphql`, 'graphql-transport-ws', { headers: { authorization: 'Bearer admin' } });
  t.teardown(() => socket.terminate());
  await once(socket, 'open');
  const reported = once(socket, 'message').then(([data]) => String(data));
  const answered = Promise.race([reported, once(socket, 'close').then(([code]) => `closed with ${code}`)]);
  await delay(4_000);
  socket.send('{"type":"connection_init"}');
  t.is(await answered, '{"type":"connection_ack"}');
});

test('a client that cannot send headers brings its token with the first message, or is turned away', async (t) => {
  const server = await startGraphql(t);
  await server.put(kindPaths.applications, application('shop'));
  t.is((await connect(t, server.port, 'viewer', true).follow(changes).next()).data.applicationChanges.object.name, 'shop');
  const wrong = connect(t, server.port, 'unknown', true);
  await t.notThrowsAsync(wrong.follow(changes).ended);
  t.is((await wrong.closed).code, 4403);
});

test('over a WebSocket there are subscriptions only, within the same limits as requests', async (t) => {
  const { port } = await startGraphql(t);
  const codeOf = async (query: string) => {
    const [error] = (await connect(t, port).follow(query).ended) as { extensions: { code: string } }[];
    return error?.extensions.code;
  };
  t.is(await codeOf('{ viewer { name } }'), 'TAP_GRAPHQL_REQUEST_INVALID');
  t.is(
    await codeOf('mutation { deleteApplication(input: { namespace: "team", name: "x" }) { userErrors { code } } }'),
    'TAP_GRAPHQL_REQUEST_INVALID',
  );
  t.is(await codeOf('subscription { applicationChanges { nothing } }'), 'TAP_GRAPHQL_DOCUMENT_INVALID');
  t.is(await codeOf('subscription { applicationChanges { type } eventChanges { type } }'), 'TAP_GRAPHQL_DOCUMENT_INVALID');
  t.is(
    await codeOf(
      `subscription { applicationChanges { object { ${'operations(first: 1) { object { ... on Application { '.repeat(5)} name ${'} } }'.repeat(5)} } } }`,
    ),
    'TAP_GRAPHQL_TOO_DEEP',
  );
  t.is(
    await codeOf('subscription { applicationChanges { object { releases(first: 100) { operations(first: 100) { name } } } } }'),
    'TAP_GRAPHQL_TOO_COSTLY',
  );
  t.is(await codeOf(`subscription { applicationChanges { ${'type '.repeat(1_000)} } }`), 'TAP_GRAPHQL_DOCUMENT_INVALID');
  for (const tail of [0, 1_001]) {
    const logs = `subscription { applicationLogs(namespace: "team", name: "shop", tail: ${tail}) { cursor } }`;
    t.is(await codeOf(logs), 'TAP_GRAPHQL_ARGUMENT_INVALID');
  }
});

test('one connection has a hundred subscriptions at most', async (t) => {
  const { port } = await startGraphql(t);
  const { follow } = connect(t, port);
  const bookmarked = 'subscription { namespaceChanges(name: "team") { type } }';
  const all = Array.from({ length: 101 }, () => follow(bookmarked));
  const [first, last] = [all.at(0), all.at(-1)];
  if (first === undefined || last === undefined) throw new Error('there is none');
  const [error] = (await last.ended) as { extensions: { code: string } }[];
  t.is(error?.extensions.code, 'TAP_GRAPHQL_TOO_MANY_SUBSCRIPTIONS');
  t.is((await first.next()).data.namespaceChanges.type, 'ADDED');
});

test('a client that does not read for a while is waited for, and then told everything', async (t) => {
  const server = await startGraphql(t);
  const socket = new WebSocket(`ws://127.0.0.1:${server.port}/graphql`, 'graphql-transport-ws', {
    headers: { authorization: 'Bearer admin' },
  });
  t.teardown(() => socket.terminate());
  await new Promise((resolve) => socket.once('open', resolve));
  const acknowledged = new Promise((resolve) => socket.once('message', resolve));
  socket.send('{"type":"connection_init"}');
  await acknowledged;
  const query = 'subscription { configMapChanges(namespace: "team") { object { name data { value } } } }';
  socket.send(JSON.stringify({ id: '1', type: 'subscribe', payload: { query } }));
  const text = 'x'.repeat(100_000);
  const begun = new Promise((resolve) => socket.once('message', resolve));
  await server.put(kindPaths.configMaps, { metadata: { name: 'c0', namespace: 'team' }, data: { text } });
  await begun;
  socket.pause();
  for (let index = 1; index <= 200; index += 1) {
    await server.put(kindPaths.configMaps, { metadata: { name: `c${index}`, namespace: 'team' }, data: { text } });
  }
  const received: string[] = [];
  socket.on('message', (data) => received.push((data as Buffer).toString('utf8', 0, 40)));
  socket.resume();
  await server.put(kindPaths.configMaps, { metadata: { name: 'last', namespace: 'team' } });
  while (received.length < 201) await new Promise((resolve) => socket.once('message', resolve));
  t.is(received.length, 201);
});
