import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import test from 'ava';
import { io, type Socket } from 'socket.io-client';
import { apiErrors } from '../../dist/api/errors.js';
import type { ApiServerOptions } from '../../dist/api/server-options.js';
import { configMaps as servedConfigMaps, createFakeEngine } from './fake-engine.ts';
import { startServer, type RunningServer } from './running-server.ts';

type Teardown = Parameters<typeof startServer>[0];

// oxlint-disable-next-line typescript/no-explicit-any -- tests look into messages freely
type Message = any;

interface OpenOptions {
  readonly as?: string;
  readonly auth?: Readonly<Record<string, unknown>>;
  readonly headers?: Readonly<Record<string, string>>;
}

function open(t: Teardown, { port }: RunningServer, { as = 'admin', auth, headers = {} }: OpenOptions = {}): Socket {
  const socket = io(`http://127.0.0.1:${port}`, {
    transports: ['websocket'],
    reconnection: false,
    forceNew: true,
    extraHeaders: { ...(as !== '' && { authorization: `Bearer ${as}` }), ...headers },
    ...(auth !== undefined && { auth }),
  });
  t.teardown(async () => void socket.disconnect());
  return socket;
}

const received = (socket: Socket, name: string): Promise<Message> => new Promise((resolve) => void socket.once(name, resolve));
const join = (socket: Socket, request: object): Promise<Message> => socket.emitWithAck('join', request);
const configMaps = { topic: 'objects', version: 'v1', plural: 'configmaps', namespace: 'default' };
const settled = async (isSo: () => boolean): Promise<void> => {
  while (!isSo()) await delay(5);
};

function listen(socket: Socket, name = 'event'): Message[] {
  const messages: Message[] = [];
  socket.on(name, (message: Message) => void messages.push(message));
  return messages;
}

test('a client that has joined a room is told its objects as they are, and then what becomes of them', async (t) => {
  const server = await startServer(t);
  server.engine.put('default', 'a', { x: '1' });
  const socket = open(t, server);
  const events = listen(socket);
  const { room } = await join(socket, configMaps);
  t.regex(room, /^objects +platform/);
  await settled(() => events.some(({ type }) => type === 'ADDED'));
  server.engine.put('default', 'a', { x: '2' });
  await settled(() => events.some(({ type }) => type === 'MODIFIED'));
  const last = events.at(-1);
  t.is(last.room, room);
  t.is(last.object.data.x, '2');
});

test('a client that comes back with the resourceVersion it has reached misses nothing and is told nothing twice', async (t) => {
  const server = await startServer(t);
  const first = open(t, server);
  const before = listen(first);
  await join(first, { ...configMaps, resourceVersion: '100' });
  for (let index = 0; index < 5; index += 1) server.engine.put('default', 'a', { x: String(index) });
  await settled(() => before.length >= 3);
  const reached = before[2].object.metadata.resourceVersion;
  first.disconnect();
  for (let index = 5; index < 10; index += 1) server.engine.put('default', 'a', { x: String(index) });
  const second = open(t, server);
  const after = listen(second);
  await join(second, { ...configMaps, resourceVersion: reached });
  await settled(() => after.length >= 7);
  t.deepEqual(
    [...before.slice(0, 3), ...after].map(({ object }) => object.data.x),
    ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9'],
  );
});

test('a room of a deprecated version says so when it is joined, and is counted', async (t) => {
  const deprecated = { since: '2026-12-01', removedAfter: '2027-06-01', instead: 'v2' };
  const engine = createFakeEngine([servedConfigMaps({ deprecated })]);
  const used: string[] = [];
  const server = await startServer(t, {
    engines: () => new Map([['platform', engine]]),
    deprecatedUse: (kind, caller) => void used.push(`${caller.name} ${kind.plural}`),
  });
  const { warnings } = await join(open(t, server), configMaps);
  t.deepEqual(warnings, ['ConfigMap v1 is deprecated since 2026-12-01; use v2']);
  t.deepEqual(used, ['admin configmaps']);
  const current = await join(open(t, await startServer(t)), configMaps);
  t.false('warnings' in current);
});

test('a room whose history is gone refuses the join, or closes with a hint to begin anew', async (t) => {
  const server = await startServer(t);
  const socket = open(t, server);
  const closed = received(socket, 'closed');
  const { room } = await join(socket, { ...configMaps, resourceVersion: '100' });
  const event = received(socket, 'event');
  server.engine.put('default', 'a', {});
  await event;
  server.engine.compact();
  const reported = await closed;
  t.is(reported.room, room);
  t.true(reported.resync);
  t.is(reported.resourceVersion, '101');
  t.is(reported.error.code, 410);
  const { error } = await join(socket, { ...configMaps, resourceVersion: '1' });
  t.is(error.code, 410);
});

test('who may not watch does not join, whether or not the kind exists, and audit is told of every join', async (t) => {
  const server = await startServer(t, {
    authorize: ({ path, resource }) => ({
      decision: path === undefined && resource?.namespace !== 'default' ? 'deny' : 'allow',
      reason: 'as the test has it',
    }),
  });
  const socket = open(t, server, { as: 'viewer' });
  for (const plural of ['configmaps', 'nothings']) {
    const { error } = await join(socket, { topic: 'objects', version: 'v1', plural, namespace: 'other' });
    t.is(error.code, 403, plural);
  }
  t.is((await join(socket, { topic: 'objects', version: 'v1', plural: 'nothings', namespace: 'default' })).error.code, 404);
  await join(socket, configMaps);
  socket.disconnect();
  await settled(() => server.audited.length === 5);
  t.deepEqual(
    server.audited
      .map(({ path, verb, caller, outcome }) => `${verb} ${path} ${caller?.name} ${outcome?.status} ${outcome?.decision?.decision}`)
      .toSorted(),
    [
      'get /socket.io/ viewer 101 allow',
      'watch /api/v1/namespaces/default/configmaps viewer 200 allow',
      'watch /api/v1/namespaces/default/nothings viewer 404 allow',
      'watch /api/v1/namespaces/other/configmaps viewer 403 deny',
      'watch /api/v1/namespaces/other/nothings viewer 403 deny',
    ],
  );
  t.true(server.audited.every(({ outcome }) => outcome?.decision?.reason === 'as the test has it'));
});

test('audit is told when a room begins, not only when it has ended', async (t) => {
  const reported: string[] = [];
  const server = await startServer(t, {
    audit: ({ verb }) => ({
      streaming: ({ status }) => void reported.push(`${verb} begins ${status}`),
      end: ({ status }) => void reported.push(`${verb} ends ${status}`),
    }),
  });
  const socket = open(t, server);
  await join(socket, configMaps);
  t.deepEqual(reported, ['get begins 101', 'watch begins 200']);
  socket.disconnect();
  await settled(() => reported.length === 4);
  t.deepEqual(reported.slice(2).toSorted(), ['get ends 101', 'watch ends 200']);
});

test('a right that is taken away closes the room within seconds: what is sent is authorized again', async (t) => {
  let nowMs = Date.now();
  let isAllowed = true;
  const reviews: boolean[] = [];
  const server = await startServer(t, {
    clock: { nowMs: () => nowMs, sleep: (ms, signal) => delay(ms, undefined, { signal }) },
    authorize: ({ path, isReview = false }) => {
      if (path === undefined) reviews.push(isReview);
      return { decision: isAllowed || path !== undefined ? 'allow' : 'deny', reason: '' };
    },
  });
  const socket = open(t, server);
  const events = listen(socket);
  await join(socket, { ...configMaps, resourceVersion: '100' });
  server.engine.put('default', 'a', { x: '1' });
  await settled(() => events.length === 1);
  isAllowed = false;
  nowMs += 5000;
  const closed = received(socket, 'closed');
  server.engine.put('default', 'a', { x: '2' });
  t.is((await closed).error.code, 403);
  t.deepEqual(reviews, [false, true], 'access is told that nothing new is done');
  t.is(events.length, 1);
});

test('a room that closes while what is there is told says no resourceVersion, as nothing has been reached', async (t) => {
  let nowMs = Date.now();
  let requested = 0;
  const server = await startServer(t, {
    clock: { nowMs: () => (nowMs += 5000), sleep: (ms, signal) => delay(ms, undefined, { signal }) },
    authorize: ({ path }) => ({ decision: path !== undefined || (requested += 1) <= 2 ? 'allow' : 'deny', reason: '' }),
  });
  for (const name of ['a', 'b', 'a']) server.engine.put('default', name, {});
  const socket = open(t, server);
  const events = listen(socket);
  const closed = received(socket, 'closed');
  await join(socket, configMaps);
  const { error, resourceVersion } = await closed;
  t.is(error.code, 403);
  // Whoever went on behind it would never be told of b.
  t.deepEqual(
    events.map(({ object }) => [object.metadata.name, object.metadata.resourceVersion]),
    [['a', '103']],
  );
  t.is(resourceVersion, undefined);
});

test('a page may bring its token with the handshake; without one, with a bad one, or with none in time it is refused', async (t) => {
  const server = await startServer(t);
  const good = open(t, server, { as: '', auth: { token: 'admin' } });
  t.regex((await join(good, configMaps)).room, /^objects/);
  for (const auth of [{}, { token: 'nobody' }, { token: { $ne: '' } }]) {
    const bad = open(t, server, { as: '', auth });
    const refused = await received(bad, 'connect_error');
    t.is(refused.data.code, 401);
    t.is(refused.data.details.code, 'TAP_REQUEST_UNAUTHENTICATED');
  }
  const open2 = open(t, server, { as: 'nobody', auth: { token: 'admin' } });
  await received(open2, 'connect_error');
  await settled(() => server.audited.filter(({ outcome }) => outcome?.status === 401).length >= 4);
  t.pass();
});

test('a page of another origin opens no socket, though CORS does not hold for WebSockets', async (t) => {
  const server = await startServer(t);
  const socket = open(t, server, { headers: { origin: 'https://evil.example.com' } });
  await received(socket, 'connect_error');
  t.is(server.audited[0]?.outcome?.errorCode, 'TAP_REQUEST_ORIGIN_REFUSED');
});

test('polling is not served, neither by GET nor by POST, so no cookie of a page is of use to another', async (t) => {
  const { ask } = await startServer(t);
  for (const method of ['GET', 'POST']) t.is((await ask('/socket.io/?EIO=4&transport=polling', { method })).status, 404);
});

test('connections are not recovered past authentication: a session id of before gives neither rooms nor what was missed', async (t) => {
  let good = true;
  const server = await startServer(t, {
    authenticate: ({ headers }) =>
      good || headers['authorization'] === 'Bearer other' ? { caller: { name: 'x', groups: [] }, credentialId: 'x' } : undefined,
    authorize: () => ({ decision: 'allow', reason: '' }),
  });
  const first = open(t, server);
  await join(first, configMaps);
  const pid = (first as unknown as { _pid?: string })._pid;
  t.is(pid, undefined);
  const { id } = first;
  good = false;
  first.io.engine.close();
  server.engine.put('default', 'a', { secret: 'x' });
  for (const [as, auth] of [
    ['', { pid: id, offset: '0' }],
    ['other', { pid: id, offset: '0' }],
  ] as const) {
    const again = open(t, server, { as, auth });
    const events = listen(again);
    await Promise.race([received(again, 'connect_error'), received(again, 'connect')]);
    await delay(50);
    t.not(again.recovered, true);
    t.deepEqual(events, []);
  }
});

test('a revoked credential, an expired one and a platform that stops end the socket, and the client is told which', async (t) => {
  let lifeMs = Infinity;
  const server = await startServer(t, {
    authenticate: ({ headers: { authorization } }) =>
      authorization === undefined
        ? undefined
        : { caller: { name: 'x', groups: [] }, credentialId: authorization, expiresAtMs: Date.now() + lifeMs },
    authorize: () => ({ decision: 'allow', reason: '' }),
  });
  const revoked = open(t, server, { as: '', auth: { token: 'a' }, headers: {} });
  const kept = open(t, server, { as: 'b' });
  await Promise.all([join(revoked, configMaps), join(kept, configMaps)]);
  const ends = [received(revoked, 'end'), received(revoked, 'disconnect')];
  server.server.endStreams('Bearer a');
  t.deepEqual((await ends[0]).reason, 'credential');
  await ends[1];
  lifeMs = 500;
  const expiring = open(t, server, { as: 'c' });
  t.is((await received(expiring, 'end')).reason, 'credential');
  const reported = received(kept, 'end');
  await Promise.all([server.server.close(), received(kept, 'disconnect')]);
  t.is((await reported).reason, 'stop');
});

test('two tenants that ask for the same are in rooms of their own', async (t) => {
  const server = await startServer(t, {
    authenticate: ({ headers }) => {
      const name = (headers['authorization'] ?? '').replace('Bearer ', '');
      return { caller: { name, groups: [], tenant: name }, credentialId: name };
    },
    authorize: () => ({ decision: 'allow', reason: '' }),
  });
  const rooms = [];
  for (const as of ['red', 'blue']) rooms.push((await join(open(t, server, { as }), configMaps)).room);
  t.is(new Set(rooms).size, 2);
  t.true(rooms.every((room) => /tenant=(red|blue) /.test(room)));
});

test('a join request is validated, and each mistake is named', async (t) => {
  const socket = open(t, await startServer(t));
  const mistakes: readonly (readonly [unknown, RegExp])[] = [
    [null, /expected an object/],
    [{ topic: 'secrets' }, /topic: expected one of/],
    [{ topic: '__proto__' }, /topic: expected one of/],
    [{ ...configMaps, namespace: '../x' }, /namespace: expected a name/],
    [{ ...configMaps, namespace: ['default'] }, /namespace: expected text/],
    [{ ...configMaps, resourceVersion: 'x' }, /resourceVersion/],
    [{ ...configMaps, extra: 1 }, /extra: not known/],
    [{ topic: 'objects', plural: 'pods' }, /version and plural/],
    [{ topic: 'metrics', names: ['a b'] }, /names/],
    [{ topic: 'logs', namespace: 'default' }, /namespace and pod/],
    [{ ...configMaps, labelSelector: 'x'.repeat(2000) }, /labelSelector/],
  ];
  for (const [request, expected] of mistakes) {
    const { error } = await socket.emitWithAck('join', request);
    t.is(error.code, 400);
    t.regex(error.message, expected);
  }
});

test('an event that is none is answered with what is expected, and counts as a join', async (t) => {
  let nowMs = Date.now();
  const server = await startServer(t, { clock: { nowMs: () => nowMs, sleep: (ms, signal) => delay(ms, undefined, { signal }) } });
  const socket = open(t, server);
  const unknown = (): Promise<Message> => socket.timeout(30_000).emitWithAck('subscribe', configMaps);
  const { error } = await unknown();
  t.deepEqual([error.code, error.details.code], [400, 'TAP_SOCKET_JOIN_INVALID']);
  t.is(error.message, 'event: expected join or leave, found "subscribe"');
  for (let index = 1; index < 20; index += 1) socket.emit('publish', index);
  t.is((await unknown()).error.details.code, 'TAP_SOCKET_LIMIT');
  t.is((await join(socket, configMaps)).error.details.code, 'TAP_SOCKET_LIMIT');
  nowMs += 1000;
  t.truthy((await join(socket, configMaps)).room);
});

test('a room of an empty name or namespace is refused: it would follow all objects', async (t) => {
  const socket = open(t, await startServer(t));
  for (const [field, selection] of Object.entries({ namespace: { namespace: '' }, name: { namespace: 'default', name: '' } })) {
    const { error } = await join(socket, { ...configMaps, ...selection });
    t.is(error?.message, `join: ${field}: expected the ${field} to follow, or none for all, found an empty text`);
  }
});

test('a refused room of metrics names what it expects and what it found', async (t) => {
  const socket = open(t, await startServer(t));
  const found: readonly (readonly [unknown, string])[] = [
    [['up', 'a b'], 'names of metrics, such as tappaas_api_requests_total, found "a b"'],
    [[7], 'names of metrics, such as tappaas_api_requests_total, found 7'],
    [[], '1 to 20 names of metrics, found 0'],
    [Array.from({ length: 21 }, (_, index) => `m${index}`), '1 to 20 names of metrics, found 21'],
    ['up', 'a list of 1 to 20 names of metrics, found "up"'],
    [undefined, 'a list of 1 to 20 names of metrics, found nothing'],
  ];
  for (const [names, expected] of found) {
    const { error } = await join(socket, { topic: 'metrics', names });
    t.is(error.message, `join: names: the room metrics takes ${expected}`);
  }
});

test('a connection is in at most 50 rooms, and joins at most 10 a second after a first 20', async (t) => {
  let nowMs = Date.now();
  const server = await startServer(t, { clock: { nowMs: () => nowMs, sleep: (ms, signal) => delay(ms, undefined, { signal }) } });
  const socket = open(t, server);
  const answers: Message[] = [];
  for (let index = 0; index < 21; index += 1) answers.push(await join(socket, { ...configMaps, namespace: `n${index}` }));
  t.true(answers.slice(0, 20).every(({ room }) => room !== undefined));
  t.is(answers[20].error.details.code, 'TAP_SOCKET_LIMIT');
  t.is(answers[20].error.details.retryAfterSeconds, 1);
  for (let second = 0; second < 4; second += 1) {
    nowMs += 1000;
    for (let index = 0; index < 10; index += 1) answers.push(await join(socket, { ...configMaps, namespace: `n${second}-${index}` }));
  }
  t.is(answers.filter(({ room }) => room !== undefined).length, 50);
  t.regex(answers.at(-1).error.message, /50 rooms/);
  nowMs += 1000;
  t.truthy((await socket.emitWithAck('leave', { room: answers[0].room })).room);
  t.truthy((await join(socket, { ...configMaps, namespace: 'after' })).room);
  t.is((await socket.emitWithAck('leave', { room: answers[0].room })).error.code, 400);
});

test('a message of a client larger than 64 KiB ends the connection', async (t) => {
  const socket = open(t, await startServer(t));
  await received(socket, 'connect');
  const gone = received(socket, 'disconnect');
  socket.emit('join', { ...configMaps, labelSelector: 'x'.repeat(70_000) });
  await gone;
  t.pass();
});

test('an object too large for a message is told by its name', async (t) => {
  const server = await startServer(t);
  const socket = open(t, server);
  const events = listen(socket);
  await join(socket, { ...configMaps, resourceVersion: '100' });
  server.engine.put('default', 'large', { x: 'x'.repeat(70_000) });
  await settled(() => events.length === 1);
  t.is(events[0].object, undefined);
  t.deepEqual(events[0].reference.metadata, { name: 'large', namespace: 'default', uid: 'uid-large', resourceVersion: '101' });
});

test('a client that does not read is waited for and then cut off; what waits for it is bounded', async (t) => {
  const engine = createFakeEngine();
  const server = await startServer(t, { engines: () => new Map([['platform', engine]]), limits: { drainMsMax: 500 } });
  const socket = open(t, server);
  await join(socket, { ...configMaps, resourceVersion: '100' });
  const { _socket: raw } = (socket.io.engine.transport as unknown as { ws: { _socket: { pause(): void } } }).ws;
  raw.pause();
  for (let index = 0; index < 400; index += 1) engine.put('default', `a${index}`, { x: 'x'.repeat(40_000) });
  t.is(engine.watchers, 1);
  await settled(() => engine.watchers === 0);
  await settled(() => server.audited.some(({ outcome }) => outcome?.errorCode === 'TAP_REQUEST_SLOW_READER'));
  t.pass();
});

test('logs come line by line, each with its time however long it is, from the subresource of the pods', async (t) => {
  const requested: Message[] = [];
  let signal: AbortSignal | undefined;
  const subresources: ApiServerOptions['subresources'] = () => [
    {
      engine: 'platform',
      group: '',
      plural: 'pods',
      name: 'log',
      method: 'GET',
      handle: async (request, call) => {
        requested.push({ key: request.key, query: request.query, caller: call.caller.name });
        signal = call.signal;
        async function* lines(): AsyncIterable<Uint8Array> {
          yield Buffer.from('2026-01-01T00:00:00Z one\n2026-01-01T00:00:01Z t');
          yield Buffer.from(`wo\n2026-01-01T00:00:02Z ${'x'.repeat(20_000)}`);
          yield Buffer.from('and more of it');
          yield Buffer.from('y'.repeat(20_000));
          yield Buffer.from('and its end\n2026-01-01T00:00:03Z four\n');
          await once(call.signal, 'abort');
        }
        return { status: 200, body: lines() };
      },
    },
  ];
  const server = await startServer(t, { subresources });
  const socket = open(t, server);
  const logs = listen(socket, 'log');
  const { room } = await join(socket, { topic: 'logs', namespace: 'default', pod: 'web-1', container: 'main', tailLines: 10 });
  await settled(() => logs.flatMap(({ lines }) => lines).length >= 4);
  const lines = logs.flatMap(({ lines: each }) => each);
  t.deepEqual(lines.slice(0, 2), ['2026-01-01T00:00:00Z one', '2026-01-01T00:00:01Z two']);
  t.regex(lines[2], /^2026-01-01T00:00:02Z x{8000,9000}…$/);
  t.is(lines[3], '2026-01-01T00:00:03Z four');
  t.deepEqual(requested, [
    {
      key: { namespace: 'default', name: 'web-1' },
      query: { follow: 'true', timestamps: 'true', container: 'main', tailLines: '10' },
      caller: 'admin',
    },
  ]);
  await socket.emitWithAck('leave', { room });
  await settled(() => signal?.aborted === true);
});

/** Serves the log of a container that was restarted; `previous` answers for the run before. Returns the queries that it was asked. */
function restarted(previous: () => { readonly status: number; readonly body: string }) {
  const requested: Readonly<Record<string, string | undefined>>[] = [];
  const subresources: ApiServerOptions['subresources'] = () => [
    {
      engine: 'platform',
      group: '',
      plural: 'pods',
      name: 'log',
      method: 'GET',
      handle: async ({ query }) => {
        requested.push(query);
        return query['previous'] === 'true' ? previous() : { status: 200, body: '2026-01-01T00:00:03Z begins\n' };
      },
    },
  ];
  return { requested, subresources };
}

const logOf = { topic: 'logs', namespace: 'default', pod: 'web-1' };

/** Joins a log until it is closed. */
async function wholeLog(t: Teardown, subresources: ApiServerOptions['subresources'], request: object): Promise<Message> {
  const socket = open(t, await startServer(t, { subresources }));
  const logs = listen(socket, 'log');
  const closed = received(socket, 'closed');
  await join(socket, { ...logOf, ...request });
  const { error } = await closed;
  return { error, lines: logs.flatMap(({ lines }) => lines) };
}

test('a log that goes on after a restart of its container begins with the end of the run before', async (t) => {
  const body = '2026-01-01T00:00:01Z told\n2026-01-01T00:00:02Z ends\n';
  const { requested, subresources } = restarted(() => ({ status: 200, body }));
  const { lines } = await wholeLog(t, subresources, { sinceTime: '2026-01-01T00:00:01.000Z', container: 'main' });
  t.deepEqual(lines, ['2026-01-01T00:00:01Z told', '2026-01-01T00:00:02Z ends', '2026-01-01T00:00:03Z begins']);
  const query = { timestamps: 'true', container: 'main', sinceTime: '2026-01-01T00:00:01.000Z' };
  t.deepEqual(requested, [
    { follow: 'true', ...query },
    { ...query, previous: 'true' },
  ]);
});

test('the run before is not read where the log goes on, at first, and of a number of last lines', async (t) => {
  for (const request of [{ sinceTime: '2026-01-01T01:00:03+01:00' }, {}, { tailLines: 5 }]) {
    const { requested, subresources } = restarted(() => ({ status: 200, body: 'never' }));
    t.deepEqual((await wholeLog(t, subresources, request)).lines, ['2026-01-01T00:00:03Z begins']);
    t.is(requested.length, 1, JSON.stringify(request));
  }
});

test('a run before without a log keeps nobody from the log, and one that cannot be read now closes the room before any line', async (t) => {
  const since = { sinceTime: '2026-01-01T00:00:01Z' };
  const gone = restarted(() => {
    throw apiErrors.TAP_REQUEST_PARAMETER_INVALID({ message: 'there is no previous run' });
  });
  t.deepEqual(await wholeLog(t, gone.subresources, since), { error: undefined, lines: ['2026-01-01T00:00:03Z begins'] });
  const away = restarted(() => {
    throw apiErrors.TAP_API_STOPPING({ message: 'not now' });
  });
  const { error, lines } = await wholeLog(t, away.subresources, since);
  t.deepEqual([error.code, lines], [503, []]);
});

test('a room where nothing happens is closed when the right to it is taken away, too, and nothing is read for it any more', async (t) => {
  let nowMs = Date.now();
  let isAllowed = true;
  const reading = Promise.withResolvers<AbortSignal>();
  const quiet = async function* (signal: AbortSignal): AsyncIterable<Uint8Array> {
    yield Buffer.from('2026-01-01T00:00:00Z one\n');
    reading.resolve(signal);
    await once(signal, 'abort');
    throw new Error('broken off');
  };
  const handle = async (_: unknown, { signal }: { readonly signal: AbortSignal }) => ({ status: 200, body: quiet(signal) });
  const server = await startServer(t, {
    clock: { nowMs: () => nowMs, sleep: (ms, signal) => delay(ms, undefined, { signal }) },
    authorize: ({ path }) => ({ decision: isAllowed || path !== undefined ? 'allow' : 'deny', reason: '' }),
    subresources: () => [{ engine: 'platform', group: '', plural: 'pods', name: 'log', method: 'GET', handle }],
  });
  const socket = open(t, server);
  const closed = received(socket, 'closed');
  const { room } = await join(socket, { topic: 'logs', namespace: 'default', pod: 'web-1' });
  const signal = await reading.promise;
  isAllowed = false;
  nowMs += 5000;
  const reported = await closed;
  t.deepEqual([reported.room, reported.error.code, signal.aborted], [room, 403, true]);
  await settled(() => server.audited.length > 0);
  const { verb, outcome } = server.audited[0] ?? {};
  t.deepEqual([verb, outcome?.status, outcome?.decision?.decision], ['get', 403, 'deny']);
});

test('metrics are told by name, at once and then every few seconds', async (t) => {
  const page = '# HELP a_total x\na_total{x="1"} 1\nab_total 2\nh_bucket{le="1"} 3\nh_sum 4\n';
  const server = await startServer(t, { metrics: () => page });
  const socket = open(t, server);
  const reported = received(socket, 'metrics');
  await join(socket, { topic: 'metrics', names: ['h', 'a_total'] });
  t.deepEqual((await reported).text, 'a_total{x="1"} 1\nh_bucket{le="1"} 3\nh_sum 4\n');
  t.is((await reported).replica, 'test');
});

test('a metric that no process has yet is named when its room is joined, and comes with its first value', async (t) => {
  let page = 'a_total 1\nh_bucket{le="1"} 3\n';
  const server = await startServer(t, {
    metrics: () => page,
    // A round every 5 ms instead of every 5 s.
    clock: { nowMs: () => Date.now(), sleep: (ms, signal) => delay(ms === 5000 ? 5 : ms, undefined, { signal }) },
  });
  const socket = open(t, server);
  const told = listen(socket, 'metrics');
  const { room, warnings } = await join(socket, { topic: 'metrics', names: ['a_total', 'later_total', 'h'] });
  t.deepEqual(warnings, [`room ${room}: expected a metric with values, found none named later_total so far`]);
  page += 'later_total 1\n';
  await settled(() => told.some(({ text }) => text.includes('later_total 1')));
  t.false('warnings' in (await join(socket, { topic: 'metrics', names: ['later_total', 'a_total'] })));
});

test('who asks for metrics that nothing serves does not join, and is told why', async (t) => {
  const server = await startServer(t, {
    metrics: () => Promise.reject(apiErrors.TAP_REQUEST_PATH_UNKNOWN({ message: 'no metrics here' })),
  });
  const answer = await join(open(t, server), { topic: 'metrics', names: ['a_total'] });
  t.is(answer.room, undefined);
  t.deepEqual([answer.error.code, answer.error.message], [404, 'no metrics here']);
});

test('who may see one object, or only part of the objects, joins a room of that and is told no more', async (t) => {
  const engine = createFakeEngine();
  const watched: { labelSelector?: string; fieldSelector?: string }[] = [];
  const spied = { ...engine, watch: (query: Parameters<typeof engine.watch>[0]) => (watched.push(query), engine.watch(query)) };
  let nowMs = Date.now();
  let mine = 'owner=admin';
  const server = await startServer(t, {
    engines: () => new Map([['platform', spied]]),
    clock: { nowMs: () => nowMs, sleep: (ms, signal) => delay(ms, undefined, { signal }) },
    authorize: ({ verb, resource, canNarrow }) => {
      if (resource === undefined || resource.name === 'a') return { decision: 'allow', reason: '' };
      const isPart = verb === 'watch' && canNarrow === true && resource.name === undefined;
      return isPart ? { decision: 'allow', reason: '', narrowed: { labelSelector: mine } } : { decision: 'deny', reason: '' };
    },
  });
  const socket = open(t, server);
  t.truthy((await join(socket, { ...configMaps, name: 'a' })).room, 'the object that its role names');
  t.is((await join(socket, { ...configMaps, name: 'b' })).error.code, 403);
  t.truthy((await join(socket, { ...configMaps, labelSelector: 'x=y', resourceVersion: '100' })).room);
  t.deepEqual(
    watched.map(({ labelSelector, fieldSelector }) => labelSelector ?? fieldSelector),
    ['metadata.name=a', 'x=y,owner=admin'],
  );
  mine = 'owner=nobody';
  nowMs += 5000;
  const closed = received(socket, 'closed');
  engine.put('default', 'c', { x: '1' });
  t.regex((await closed).error.message, /another part of it may be seen/);
});
