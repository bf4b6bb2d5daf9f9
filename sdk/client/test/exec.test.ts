/** Commands in pods, on a server that plays a cluster's side of the protocol. */
import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import test, { type ExecutionContext } from 'ava';
import { WebSocketServer, type WebSocket } from 'ws';
import { createClient, type ExecOutput, type ExecRequest } from '@tappaas/client';

const pod = '/clusters/local/api/v1/namespaces/tappaas-team/pods/shop-1';
const success = '{"kind":"Status","status":"Success"}';

/** Serves commands: `serve` gets the connection and the request that opened it. */
async function cluster(t: ExecutionContext, serve: (socket: WebSocket, request: IncomingMessage) => void) {
  const server = createServer();
  const sockets = new WebSocketServer({ server });
  sockets.on('connection', serve);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const client = createClient({ server: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, token: 'tapp_a+b/c?' });
  t.teardown(async () => {
    await client.close();
    for (const socket of sockets.clients) socket.terminate();
    server.close();
  });
  const run = (request: Partial<ExecRequest> = {}) =>
    client.exec({ pod, command: ['true'], signal: new AbortController().signal, ...request });
  return { server, run };
}

async function ended(running: AsyncGenerator<ExecOutput, number>): Promise<{ readonly code: number; readonly received: string[] }> {
  const received: string[] = [];
  for (;;) {
    const { done, value } = await running.next();
    if (done === true) return { code: value, received };
    received.push(`${value.stream} ${Buffer.from(value.bytes).toString()}`);
  }
}

const write = (socket: WebSocket, channel: number, text: string): void =>
  socket.send(Buffer.concat([Buffer.from([channel]), Buffer.from(text)]));
const failure = (code: string) =>
  JSON.stringify({ status: 'Failure', reason: 'NonZeroExitCode', details: { causes: [{ reason: 'ExitCode', message: code }] } });

test('a command is asked for with its words, and what it writes and its exit code come back', async (t) => {
  let requested: IncomingMessage | undefined;
  const { run } = await cluster(t, (socket, request) => {
    requested = request;
    write(socket, 1, 'out');
    write(socket, 2, 'err');
    write(socket, 3, failure('7'));
  });
  t.deepEqual(await ended(run({ command: ['sh', '-c', 'a b'], container: 'web' })), { code: 7, received: ['stdout out', 'stderr err'] });
  const url = new URL(requested?.url ?? '', 'http://here');
  t.is(url.pathname, `${pod}/exec`);
  t.deepEqual(url.searchParams.getAll('command'), ['sh', '-c', 'a b']);
  t.deepEqual(
    ['stdin', 'stdout', 'stderr', 'tty', 'container'].map((name) => url.searchParams.get(name)),
    ['false', 'true', 'true', 'false', 'web'],
  );
  const [protocol, bearer = ''] = (requested?.headers['sec-websocket-protocol'] ?? '').split(/, ?/);
  t.is(protocol, 'v5.channel.k8s.io');
  t.is(Buffer.from(bearer.replace('base64url.bearer.authorization.k8s.io.', ''), 'base64url').toString(), 'tapp_a+b/c?');
});

test('input goes to the command in parts that the platform takes, and its end is told', async (t) => {
  const received: Buffer[] = [];
  const { run } = await cluster(t, (socket) => {
    socket.on('message', (data: Buffer) => {
      received.push(data);
      if (data[0] === 255) write(socket, 3, success);
    });
  });
  const input = async function* () {
    yield Buffer.alloc(100_000, 'x');
    yield Buffer.from('end');
  };
  t.is((await ended(run({ input: input() }))).code, 0);
  t.true(received.every(({ length }) => length <= 32 * 1024 + 1));
  t.deepEqual([...(received.at(-1) ?? [])], [255, 0]);
  const text = Buffer.concat(received.slice(0, -1).map((each) => each.subarray(1))).toString();
  t.is(text, `${'x'.repeat(100_000)}end`);
});

test('a terminal is asked for with its size, and each new one is told', async (t) => {
  const sizes: string[] = [];
  const second = Promise.withResolvers<void>();
  let query = '';
  const { run } = await cluster(t, (socket, { url = '' }) => {
    query = url;
    socket.on('message', (data: Buffer) => {
      sizes.push(`${data[0]} ${data.subarray(1).toString()}`);
      if (sizes.length === 1) second.resolve();
      else write(socket, 3, success);
    });
  });
  const terminal = async function* () {
    yield { columns: 80, rows: 24 };
    await second.promise;
    yield { columns: 120, rows: 40 };
  };
  t.is((await ended(run({ terminal: terminal() }))).code, 0);
  t.deepEqual(sizes, ['4 {"Width":80,"Height":24}', '4 {"Width":120,"Height":40}']);
  t.regex(query, /stderr=false&tty=true/);
});

test('a refusal is told in the platform’s own words, and so is why a command could not be run', async (t) => {
  const { server, run } = await cluster(t, (socket) => write(socket, 3, '{"status":"Failure","message":"nope: not found","code":500}'));
  await t.throwsAsync(ended(run()), { name: 'ApiError', message: 'nope: not found' });
  server.removeAllListeners('upgrade');
  const status = {
    message: 'no terminal (tty) here',
    reason: 'BadRequest',
    details: { code: 'CLUSTER_LOCAL_REQUEST_INVALID', remedy: 'Leave it.' },
  };
  const body = JSON.stringify(status);
  server.on('upgrade', (_, socket) =>
    socket.end(`HTTP/1.1 400 Bad Request\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n${body}`),
  );
  const received = {
    name: 'ApiError',
    message: 'no terminal (tty) here',
    status: 400,
    code: 'CLUSTER_LOCAL_REQUEST_INVALID',
    remedy: 'Leave it.',
  };
  t.like(await t.throwsAsync(ended(run())), received);
  server.removeAllListeners('upgrade');
  server.on('upgrade', (_, socket) => socket.end('HTTP/1.1 502 Bad Gateway\r\nContent-Length: 3\r\nConnection: close\r\n\r\nbad'));
  await t.throwsAsync(ended(run()), { name: 'ApiError', message: /answered 502 to a WebSocket/ });
});

test('a connection that breaks before the end is no end', async (t) => {
  const { run } = await cluster(t, (socket) => {
    write(socket, 1, 'half');
    socket.close(1008, 'the credential is no longer good');
  });
  await t.throwsAsync(ended(run()), { name: 'UnreachableError', message: /broke off: closed with 1008: the credential is no longer good/ });
});

test('whoever leaves, or aborts, ends the command', async (t) => {
  const closed: Promise<unknown>[] = [];
  const { run } = await cluster(t, (socket) => {
    closed.push(once(socket, 'close'));
    write(socket, 1, 'begun');
  });
  for await (const { stream } of run()) {
    t.is(stream, 'stdout');
    break;
  }
  await closed[0];
  const leaving = new AbortController();
  const running = run({ signal: leaving.signal });
  await running.next();
  leaving.abort(new Error('enough'));
  await t.throwsAsync(running.next(), { message: 'enough' });
  await closed[1];
});

test('what is written faster than it is taken waits at the other side', async (t) => {
  const chunk = 'x'.repeat(32 * 1024);
  const chunks = 4_000;
  const { run } = await cluster(t, (socket) => {
    for (let index = 0; index < chunks; index += 1) write(socket, 1, chunk);
    write(socket, 3, success);
  });
  const running = run();
  let bytes = 0;
  for (;;) {
    const { done, value } = await running.next();
    if (done === true) break;
    bytes += value.bytes.length;
    // A slow reader: without pausing, more messages would be queued than allowed.
    await new Promise((resolve) => void setImmediate(resolve));
  }
  t.is(bytes, chunks * chunk.length);
});
