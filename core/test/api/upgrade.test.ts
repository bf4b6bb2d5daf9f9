import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import test from 'ava';
import { WebSocket } from 'ws';
import { closeCodes } from '../../dist/api/upgrade/web-socket.js';
import { flowErrors } from '../../dist/flow/errors.js';
import type { ServedUpgrade } from '../../dist/api/upgrade/upgrade.js';
import { moveBearerProtocol } from '../../dist/api/upgrade/upgrade-handshake.js';
import type { ApiServerOptions } from '../../dist/api/server-options.js';
import { sendRaw } from './raw-socket.ts';
import { quietLog, startServer, type RunningServer } from './running-server.ts';

type Teardown = Parameters<typeof startServer>[0];

/** Says everything back, and `who` for the name of the caller. */
const echo: ServedUpgrade = {
  path: '/echo',
  match: ({ info }) => info.path === '/echo',
  protocols: ['echo.v2', 'echo.v1'],
  handle: async (call) => {
    const socket = await call.accept();
    socket.on('message', (data, isBinary) => {
      const text = (data as Buffer).toString();
      socket.send(text === 'who' ? call.exchange.caller.name : data, { binary: isBinary });
    });
    await once(socket, 'close');
  },
};

const start = (t: Teardown, options: Partial<ApiServerOptions> = {}): Promise<RunningServer> =>
  startServer(t, { upgrades: () => [echo], ...options });

interface OpenOptions {
  readonly protocols?: readonly string[];
  readonly headers?: Readonly<Record<string, string>>;
  readonly as?: string;
}

function open({ port }: RunningServer, path: string, { protocols = ['echo.v1'], headers = {}, as = 'admin' }: OpenOptions = {}): WebSocket {
  const authorization = as === '' ? {} : { authorization: `Bearer ${as}` };
  return new WebSocket(`ws://127.0.0.1:${port}${path}`, [...protocols], { headers: { ...authorization, ...headers } });
}

async function refusalOf(socket: WebSocket): Promise<{ status: number; headers: Record<string, unknown>; body: Record<string, unknown> }> {
  const [, response] = await once(socket, 'unexpected-response');
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk);
  return { status: response.statusCode, headers: response.headers, body: JSON.parse(Buffer.concat(chunks).toString()) };
}

async function say(socket: WebSocket, text: string): Promise<string> {
  socket.send(text);
  const [data] = await once(socket, 'message');
  return String(data);
}

const settled = async (isSo: () => boolean): Promise<void> => {
  while (!isSo()) await delay(5);
};

test('an upgrade passes the chain, is answered by its handler, and is audited with its end', async (t) => {
  const server = await start(t);
  const socket = open(server, '/echo', { protocols: ['other', 'echo.v1', 'echo.v2'] });
  const [[response]] = await Promise.all([once(socket, 'upgrade'), once(socket, 'open')]);
  t.truthy(response.headers['x-request-id']);
  t.is(socket.protocol, 'echo.v2');
  t.is(socket.extensions, '');
  t.is(await say(socket, 'who'), 'admin');
  t.is(server.audited.length, 0);
  socket.close();
  await settled(() => server.audited.length === 1);
  const [event] = server.audited;
  t.is(event?.caller?.name, 'admin');
  t.is(event?.path, '/echo');
  t.is(event?.outcome?.status, 101);
  t.is(event?.outcome?.errorCode, undefined);
});

const handshake = (authorization: string): string =>
  [
    'GET /echo HTTP/1.1',
    'Host: localhost',
    `Authorization: ${authorization}`,
    'Connection: Upgrade',
    'Upgrade: websocket',
    'Sec-WebSocket-Version: 13',
    'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
    'Sec-WebSocket-Protocol: echo.v1',
    '\r\n',
  ].join('\r\n');

test('the connection of a refused upgrade is closed both ways, whatever the client leaves open', async (t) => {
  const server = await start(t);
  const socket = connect({ port: server.port, host: '127.0.0.1', allowHalfOpen: true });
  t.teardown(() => void socket.destroy());
  let answer = '';
  socket.setEncoding('latin1').on('data', (chunk) => (answer += String(chunk)));
  const failed = once(socket, 'error');
  socket.write(handshake('Bearer nobody'));
  await once(socket, 'end');
  t.regex(answer, /^HTTP\/1\.1 401 /);
  t.regex(answer, /"status":"Failure"/);
  // Whoever sends to a connection that is closed both ways is told so; one that is half open takes it.
  const sending = setInterval(() => socket.write('x'), 20);
  t.teardown(() => clearInterval(sending));
  await failed;
  t.pass();
});

test('an upgrade that is sent behind a request that is not answered yet is cut off, and nobody else hears of it', async (t) => {
  const requested = Promise.withResolvers<void>();
  const answered = Promise.withResolvers<void>();
  const metrics = async (): Promise<string> => {
    requested.resolve();
    await answered.promise;
    return '# no metrics\n';
  };
  const server = await start(t, { metrics });
  const socket = connect(server.port, '127.0.0.1').resume();
  socket.on('error', () => {});
  const closed = once(socket, 'close');
  socket.write('GET /metrics HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer admin\r\n\r\n');
  await requested.promise;
  socket.write(handshake('Bearer admin'));
  await closed;
  answered.resolve();
  t.is((await server.ask('/api')).status, 200);
});

test('what breaks off because its client has gone is no failure of the platform; what fails besides still is', async (t) => {
  const causes: unknown[] = [];
  const failures = [
    Object.assign(new Error('aborted'), { code: 'ECONNRESET' }),
    new Error('the agent does not answer', { cause: new DOMException('aborted', 'AbortError') }),
    new TypeError('no such thing'),
  ];
  const server = await start(t, {
    log: { ...quietLog, error: (_, fields) => void causes.push((fields as { readonly cause?: unknown }).cause) },
    upgrades: () => [
      {
        ...echo,
        handle: async (call) => {
          const socket = await call.accept();
          await once(socket, 'close');
          if (!call.exchange.signal.aborted) await once(call.exchange.signal, 'abort');
          throw failures[Number(call.exchange.query.get('failure'))] ?? new RangeError('no such failure');
        },
      },
    ],
  });
  for (const failure of failures.keys()) {
    const socket = open(server, `/echo?failure=${failure}`);
    await once(socket, 'open');
    socket.close();
    await settled(() => server.audited.length === failure + 1);
  }
  t.deepEqual(
    server.audited.map(({ outcome }) => [outcome?.status, outcome?.errorCode]),
    [
      [499, 'TAP_REQUEST_ABORTED'],
      [499, 'TAP_REQUEST_ABORTED'],
      [500, 'TAP_API_INTERNAL'],
    ],
  );
  t.deepEqual(causes, [failures[2]]);
});

test('what a request would be refused with refuses an upgrade as well, as a Status, and audit is told', async (t) => {
  const server = await start(t, {
    authorize: ({ caller }) => ({ decision: caller.name === 'admin' ? 'allow' : 'deny', reason: 'not you' }),
  });
  const unknown = await refusalOf(open(server, '/echo', { as: 'nobody' }));
  t.is(unknown.status, 401);
  t.is(unknown.body['kind'], 'Status');
  t.is(unknown.headers['www-authenticate'], 'Bearer realm="tappaas"');
  t.is(unknown.headers['connection'], 'close');
  t.is((await refusalOf(open(server, '/echo', { as: '' }))).status, 401);
  t.is((await refusalOf(open(server, '/echo', { as: 'viewer' }))).status, 403);
  t.is((await refusalOf(open(server, '/nothing'))).status, 404);
  t.is((await refusalOf(open(server, '/echo', { protocols: ['other'] }))).status, 400);
  t.is((await refusalOf(open(server, '/a%2fb'))).status, 400);
  await settled(() => server.audited.length === 5);
  t.deepEqual(
    server.audited.map(({ outcome }) => outcome?.status),
    [401, 401, 403, 404, 400],
  );
});

test('an upgrade holds the seat of a stream until it ends, and is refused with 429 when there is none', async (t) => {
  const seats: boolean[] = [];
  let taken = 0;
  const server = await start(t, {
    flow: ({ stream }) => {
      seats.push(stream);
      if (taken === 1) throw flowErrors.TAP_FLOW_FULL({ message: 'full', retryAfterMs: 1000 });
      taken += 1;
      return { release: () => void (taken -= 1) };
    },
  });
  const socket = open(server, '/echo');
  await once(socket, 'open');
  t.is(taken, 1);
  const { status, headers } = await refusalOf(open(server, '/echo'));
  t.is(status, 429);
  t.is(headers['retry-after'], '1');
  socket.close();
  await settled(() => taken === 0);
  t.deepEqual(seats, [true, true]);
});

test('a handler says which verb its upgrade needs', async (t) => {
  const requested: string[] = [];
  const server = await start(t, {
    upgrades: () => [{ ...echo, verb: 'create' }],
    authorize: ({ verb }) => {
      requested.push(verb);
      return { decision: 'allow', reason: '' };
    },
  });
  const socket = open(server, '/echo');
  await once(socket, 'open');
  socket.close();
  t.deepEqual(requested, ['create']);
});

test('a page of another origin is refused, one of ours or of an allowed origin is not', async (t) => {
  const server = await start(t, { cors: { origins: ['https://console.example.com'] } });
  for (const origin of [
    'https://evil.example.com',
    'null',
    `http://127.0.0.1:${server.port + 1}`,
    `http://127.0.0.1:${server.port}.evil.com`,
  ]) {
    const { status, body } = await refusalOf(open(server, '/echo', { headers: { origin } }));
    t.is(status, 403, origin);
    t.is((body['details'] as { code: string }).code, 'TAP_REQUEST_ORIGIN_REFUSED');
  }
  for (const origin of ['https://console.example.com', `http://127.0.0.1:${server.port}`]) {
    const socket = open(server, '/echo', { headers: { origin } });
    await once(socket, 'open');
    socket.close();
  }
  t.is(server.audited.filter(({ outcome }) => outcome?.status === 403).length, 4);
});

test('a cookie opens nothing without the Origin of a page', async (t) => {
  const server = await start(t, { authenticate: () => ({ caller: { name: 'admin', groups: [] }, credentialId: 'session' }) });
  t.is((await refusalOf(open(server, '/echo', { as: '', headers: { cookie: 'session=1' } }))).status, 403);
  const socket = open(server, '/echo', { as: '', headers: { cookie: 'session=1', origin: `http://127.0.0.1:${server.port}` } });
  await once(socket, 'open');
  socket.close();
});

test('a bearer token may come as a protocol, as web pages need it, and is never answered back', async (t) => {
  const server = await start(t);
  const bearer = `base64url.bearer.authorization.k8s.io.${Buffer.from('viewer').toString('base64url')}`;
  const socket = open(server, '/echo', { as: '', protocols: [bearer, 'echo.v1'] });
  await once(socket, 'open');
  t.is(socket.protocol, 'echo.v1');
  t.is(await say(socket, 'who'), 'viewer');
  socket.close();
  const admin = `base64url.bearer.authorization.k8s.io.${Buffer.from('admin').toString('base64url')}`;
  t.is((await refusalOf(open(server, '/echo', { as: '', protocols: [admin] }))).status, 400);
  t.is((await refusalOf(open(server, '/echo', { as: 'admin', protocols: [admin, 'echo.v1'] }))).status, 400);
  t.is((await refusalOf(open(server, '/echo', { as: '', protocols: [admin, bearer, 'echo.v1'] }))).status, 400);
  t.is((await refusalOf(open(server, '/echo', { as: '', protocols: [`${admin}.x`, 'echo.v1'] }))).status, 400);
});

test('what is no WebSocket handshake is refused with a Status that says why', async (t) => {
  const { port } = await start(t);
  const key = `Sec-WebSocket-Key: ${randomBytes(16).toString('base64')}`;
  const common = 'Host: x\r\nAuthorization: Bearer admin\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n';
  const ask = (first: string, more: string): ReturnType<typeof sendRaw> => sendRaw(port, `${first} HTTP/1.1\r\n${common}${more}\r\n\r\n`);
  const old = await ask('GET /echo', `${key}\r\nSec-WebSocket-Version: 8`);
  t.is(old.status, 426);
  t.regex(old.head, /Sec-WebSocket-Version: 13/);
  t.is((await ask('GET /echo', 'Sec-WebSocket-Version: 13')).status, 400);
  t.is((await ask('POST /echo', `${key}\r\nSec-WebSocket-Version: 13`)).status, 405);
  t.is((await ask('GET /echo', `${key}\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: a,,b`)).status, 400);
  t.is((await ask('GET /echo', `${key}\r\nSec-WebSocket-Version: 13\r\nAuthorization: Bearer viewer`)).status, 400);
});

test('a wish for another protocol than WebSocket is ignored', async (t) => {
  const { ask } = await start(t);
  const answer = await ask('/version', { headers: { connection: 'Upgrade', upgrade: 'h2c' } });
  t.is(answer.status, 200);
});

test('a message larger than the handler takes closes the connection with 1009', async (t) => {
  const server = await start(t);
  const socket = open(server, '/echo');
  await once(socket, 'open');
  t.is((await say(socket, 'x'.repeat(64 * 1024))).length, 64 * 1024);
  socket.send('x'.repeat(64 * 1024 + 1));
  const [code] = await once(socket, 'close');
  t.is(code, 1009);
});

test('a socket ends when its credential is revoked or expires, and when the platform stops, each with a code that says so', async (t) => {
  let lifeMs = Infinity;
  const server = await start(t, {
    authenticate: ({ headers }) => ({
      caller: { name: 'x', groups: [] },
      credentialId: headers['authorization'] ?? '',
      expiresAtMs: Date.now() + lifeMs,
    }),
    authorize: () => ({ decision: 'allow', reason: '' }),
  });
  const [revoked, kept] = [open(server, '/echo', { as: 'a' }), open(server, '/echo', { as: 'b' })];
  await Promise.all([once(revoked, 'open'), once(kept, 'open')]);
  server.server.endStreams('Bearer a');
  t.is((await once(revoked, 'close'))[0], closeCodes.policy);
  lifeMs = 300;
  const expiring = open(server, '/echo', { as: 'c' });
  t.is((await once(expiring, 'close'))[0], closeCodes.policy);
  t.is(await say(kept, 'still here'), 'still here');
  const closed = once(kept, 'close');
  await server.server.close();
  t.is((await closed)[0], closeCodes.goingAway);
});

test('a client that answers no close does not keep the platform from stopping', async (t) => {
  const server = await start(t, { limits: { stopMsMax: 300 } });
  const socket = connect(server.port, '127.0.0.1');
  const key = randomBytes(16).toString('base64');
  socket.write(
    `GET /echo HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer admin\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
      `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${key}\r\nSec-WebSocket-Protocol: echo.v1\r\n\r\n`,
  );
  await once(socket, 'data');
  socket.on('error', () => {});
  const closed = once(socket, 'close');
  socket.resume();
  await server.server.close();
  await closed;
  t.pass();
});

test('a client may sign in after the handshake where the handler lets it; who does not in time, or with a bad token, is closed and audited', async (t) => {
  const later: ServedUpgrade = {
    path: '/later',
    match: ({ info }) => info.path === '/later',
    signsInLater: true,
    handle: async (call) => {
      const socket = await call.accept();
      const closed = once(socket, 'close');
      const [token] = (await Promise.race([once(socket, 'message'), closed.then(() => [''])])) as unknown[];
      if (String(token) === '') return;
      await call.signIn(String(token));
      socket.send(call.exchange.caller.name);
      await closed;
    },
  };
  const server = await start(t, { upgrades: () => [later] });
  const good = open(server, '/later', { as: '', protocols: [] });
  await once(good, 'open');
  t.is(await say(good, 'admin'), 'admin');
  server.server.endStreams('admin');
  t.is((await once(good, 'close'))[0], closeCodes.policy);
  await settled(() => server.audited.length === 2);
  t.deepEqual(
    server.audited.map(({ caller, outcome }) => [caller?.name, outcome?.status]),
    [
      ['admin', 101],
      [undefined, 101],
    ],
  );
  const bad = open(server, '/later', { as: '', protocols: [] });
  await once(bad, 'open');
  bad.send('nobody');
  const [code, reason] = await once(bad, 'close');
  t.is(code, closeCodes.policy);
  t.is(String(reason), 'TAP_REQUEST_UNAUTHENTICATED');
  const viewer = open(server, '/later', { as: '', protocols: [] });
  await once(viewer, 'open');
  viewer.send('x');
  await once(viewer, 'close');
  // A token that comes with the request and is bad is refused at once.
  t.is((await refusalOf(open(server, '/later', { as: 'nobody', protocols: [] }))).status, 401);
});

test('a watch over a WebSocket tells one event a message, and ends with a bookmark', async (t) => {
  const server = await start(t);
  const path = '/api/v1/namespaces/default/configmaps?watch=1&resourceVersion=100&allowWatchBookmarks=1';
  const socket = open(server, path, { protocols: [] });
  const messages: { type: string; object: { metadata: { name: string } } }[] = [];
  socket.on('message', (data) => void messages.push(JSON.parse((data as Buffer).toString())));
  await once(socket, 'open');
  server.engine.put('default', 'a', { x: '1' });
  await settled(() => messages.length === 1);
  t.is(messages[0]?.type, 'ADDED');
  t.is(messages[0]?.object.metadata.name, 'a');
  const closed = once(socket, 'close');
  await server.server.close();
  t.is((await closed)[0], closeCodes.goingAway);
  t.is(messages.at(-1)?.type, 'BOOKMARK');
});

test('a watch over a WebSocket that is refused at once is answered as a request is', async (t) => {
  const server = await start(t);
  server.engine.compact();
  const { status, body } = await refusalOf(
    open(server, '/api/v1/namespaces/default/configmaps?watch=1&resourceVersion=1', { protocols: [] }),
  );
  t.is(status, 410);
  t.is(body['reason'], 'Expired');
});

test('a client of a WebSocket watch that does not read is cut off, and takes nothing from the engine meanwhile', async (t) => {
  const server = await start(t, { limits: { drainMsMax: 300 } });
  const socket = open(server, '/api/v1/namespaces/default/configmaps?watch=1&resourceVersion=100', { protocols: [] });
  await once(socket, 'open');
  t.teardown(async () => socket.terminate());
  await settled(() => server.engine.watchers === 1);
  socket.pause();
  for (let index = 0; index < 200; index += 1) server.engine.put('default', `a${index}`, { x: 'x'.repeat(100_000) });
  await settled(() => server.engine.watchers === 0);
  await settled(() => server.audited.length === 1);
  t.is(server.audited[0]?.outcome?.errorCode, 'TAP_REQUEST_SLOW_READER');
});

test('a bearer token among protocols is looked at in the time that its length takes', (t) => {
  const offered = `base64url.bearer.authorization.k8s.io.YWJj${'='.repeat(15_000)}x, echo.v1`;
  const before = process.threadCpuUsage();
  for (let requested = 0; requested < 20; requested += 1) {
    const request = { headers: { 'sec-websocket-protocol': offered } } as IncomingMessage;
    t.throws(() => moveBearerProtocol(request), { code: 'TAP_REQUEST_HEADER_INVALID' });
  }
  const { user } = process.threadCpuUsage(before);
  t.true(user < 1_000_000, `${user} µs`);
});
