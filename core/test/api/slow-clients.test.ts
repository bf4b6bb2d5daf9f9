/** Clients that take their time: what they hold is theirs alone, and not for long. */
import { once } from 'node:events';
import { request } from 'node:http';
import { connect, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import test, { type ExecutionContext } from 'ava';
import { selfSigned } from '../cluster/certificates.ts';
import { openWatch, startServer, type RunningServer } from './running-server.ts';

const path = '/api/v1/namespaces/default/configmaps';
const head = (line: string): string => `${line} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer admin\r\n`;
/** Longer than a busy machine keeps this thread, of clients and server, from its work. */
const short = { headMsMax: 1_000, bodyMsMax: 2_000, silentMsMax: 1_000 };

/** A connection that says this much, and what becomes of it. */
async function say(
  port: number,
  text: string,
): Promise<{ readonly socket: Socket; readonly received: () => string; readonly closed: Promise<void> }> {
  const socket = connect(port, '127.0.0.1');
  let reported = '';
  socket.setEncoding('latin1').on('data', (chunk) => (reported += String(chunk)));
  socket.on('error', () => {});
  const closed = new Promise<void>((resolve) => void socket.once('close', () => resolve()));
  await once(socket, 'connect');
  if (text !== '') socket.write(text);
  return { socket, received: () => reported, closed };
}

async function isServedMeanwhile(t: ExecutionContext, server: RunningServer): Promise<void> {
  server.engine.put('default', 'a', {});
  for (let index = 0; index < 20; index += 1) t.is((await server.ask(`${path}/a`)).status, 200);
}

const beginnings: Readonly<Record<string, string>> = {
  'say nothing': '',
  'never end their request line': 'GET /api',
  'never end their headers': `${head(`GET ${path}`)}X-A: `,
};

for (const [what, text] of Object.entries(beginnings)) {
  test(`a hundred clients that ${what} hold up nobody and are closed`, async (t) => {
    const server = await startServer(t, { limits: short });
    const clients = await Promise.all(Array.from({ length: 100 }, () => say(server.port, text)));
    await isServedMeanwhile(t, server);
    await Promise.all(clients.map(({ closed }) => closed));
    for (const { received } of clients) t.regex(received(), /^$|^HTTP\/1\.1 408 /);
  });
}

test('clients that never end their TLS handshake hold up nobody and are closed', async (t) => {
  const tls = await selfSigned('slow');
  const server = await startServer(t, { limits: short, tls });
  const clients = await Promise.all(['', '\x16\x03\x01'].flatMap((text) => Array.from({ length: 20 }, () => say(server.port, text))));
  await Promise.all(clients.map(({ closed }) => closed));
  for (const { received } of clients) t.is(received(), '');
});

test('headers that come one byte after another are not waited for any longer', async (t) => {
  const server = await startServer(t, { limits: short });
  const { socket, closed, received } = await say(server.port, head(`GET ${path}`));
  const drip = setInterval(() => socket.write('X'), 50);
  await closed;
  clearInterval(drip);
  t.regex(received(), /^HTTP\/1\.1 408 /);
  t.is(server.audited.length, 0);
});

test('a body that never comes, or comes byte by byte, is given up, and nothing is written', async (t) => {
  const server = await startServer(t, { limits: short });
  const text = `${head(`POST ${path}`)}Content-Type: application/json\r\nContent-Length: 1000\r\n\r\n{`;
  const clients = await Promise.all([say(server.port, text), say(server.port, text)]);
  const drip = setInterval(() => clients[1]?.socket.write(' '), 50);
  await isServedMeanwhile(t, server);
  await Promise.all(clients.map(({ closed }) => closed));
  clearInterval(drip);
  t.is(server.engine.writes.length, 0);
});

test.serial('a client that reads nothing of a large answer is closed, and one that reads slowly gets all of it', async (t) => {
  const server = await startServer(t, { limits: { ...short, bodyMsMax: 60_000 } });
  const count = 40;
  for (let index = 0; index < count; index += 1) server.engine.put('default', `a${index}`, { x: 'x'.repeat(500_000) });
  const { socket, closed } = await say(server.port, `${head(`GET ${path}`)}\r\n`);
  await once(socket, 'data');
  socket.pause();
  await isServedMeanwhile(t, server);
  socket.resume();
  const slow = await new Promise<number>((resolve, reject) => {
    request({ host: '127.0.0.1', port: server.port, path, agent: false, headers: { authorization: 'Bearer admin' } }, (answer) => {
      let bytes = 0;
      answer.on('data', (chunk: Buffer) => {
        bytes += chunk.byteLength;
        if (bytes % 7 !== 0) return;
        answer.pause();
        void delay(20).then(() => answer.resume());
      });
      answer.on('end', () => resolve(bytes)).on('error', reject);
    })
      .on('error', reject)
      .end();
  });
  t.true(slow > count * 500_000);
  const deaf = await say(server.port, '');
  deaf.socket.pause();
  deaf.socket.write(`${head(`GET ${path}`)}\r\n`);
  const startMs = performance.now();
  // Paused, a socket does not hear that it was closed; writing tells.
  while (deaf.socket.writable && performance.now() - startMs < 60_000) {
    deaf.socket.write('x');
    await delay(50);
  }
  t.false(deaf.socket.writable, 'the connection of a client that reads nothing is closed');
  socket.destroy();
  await closed;
});

test('a client that asks and asks and reads nothing is closed', async (t) => {
  const server = await startServer(t, { limits: short });
  server.engine.put('default', 'a', { x: 'x'.repeat(6_000) });
  const { socket } = await say(server.port, '');
  socket.pause();
  const startMs = performance.now();
  while (socket.writable && performance.now() - startMs < 60_000) {
    socket.write(`${head(`GET ${path}/a`)}\r\n`.repeat(100));
    await delay(10);
  }
  t.false(socket.writable);
  await isServedMeanwhile(t, server);
});

test('a watch in which nothing happens is left alone', async (t) => {
  const server = await startServer(t, { limits: short });
  const watch = await openWatch(server.port, `${path}?watch=1&resourceVersion=100`);
  await delay(short.silentMsMax * 3);
  server.engine.put('default', 'late', {});
  const event = (await watch.next()) as { readonly object: { readonly metadata: { readonly name: string } } };
  t.is(event.object.metadata.name, 'late');
  watch.close();
});

test('more connections than there may be are dropped without a byte, and room is there again when one of them ends', async (t) => {
  const [connectionsMax, clients] = [50, 120];
  // None of them is closed for its silence while this test runs.
  const server = await startServer(t, { limits: { connectionsMax, headMsMax: 600_000, bodyMsMax: 600_000, silentMsMax: 600_000 } });
  const flood = await Promise.all(Array.from({ length: clients }, () => say(server.port, '')));
  const dropped = (): typeof flood => flood.filter(({ socket }) => socket.closed);
  while (dropped().length < clients - connectionsMax) await delay(5);
  const late = await say(server.port, `${head('GET /livez')}\r\n`);
  await late.closed;
  t.is(dropped().length, clients - connectionsMax);
  t.is([late, ...dropped()].map(({ received }) => received()).join(''), '');
  flood.find(({ socket }) => !socket.closed)?.socket.destroy();
  // The server hears of the end in its own time; until then it drops who comes.
  const isServed = (): Promise<boolean> =>
    server.ask('/livez').then(
      ({ status }) => status === 200,
      () => false,
    );
  while (!(await isServed())) await delay(5);
  t.is(dropped().length, clients - connectionsMax + 1);
  for (const { socket } of flood) socket.destroy();
});

/** What this thread has allocated; other tests of the process have threads of their own. */
function usedBytes(): number {
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

test.serial('two thousand connections that do nothing cost little memory and hold up nobody', async (t) => {
  const server = await startServer(t);
  const before = usedBytes();
  const clients = await Promise.all(Array.from({ length: 2_000 }, () => say(server.port, 'GET ')));
  await isServedMeanwhile(t, server);
  const perConnection = (usedBytes() - before) / clients.length;
  t.log(`${Math.round(perConnection / 1024)} KiB for both ends of a connection`);
  t.true(perConnection < 256 * 1024);
  for (const { socket } of clients) socket.destroy();
});

test('a connection that was answered and then says nothing is closed, and the client was told before when to stop using it', async (t) => {
  const { port } = await startServer(t, { limits: short });
  const { received, closed } = await say(port, `${head(`GET ${path}`)}\r\n`);
  await closed;
  t.regex(received(), /^HTTP\/1.1 200 .*\r\nKeep-Alive: timeout=1\r\n/s);
  const usual = await startServer(t);
  const last = await say(usual.port, `${head(`GET ${path}`)}\r\n${head(`GET ${path}`)}Connection: close\r\n\r\n`);
  await last.closed;
  const [first = '', second = ''] = last.received().split(/(?=HTTP\/1.1 200)/);
  t.regex(first, /\r\nKeep-Alive: timeout=65\r\n/);
  t.regex(second, /\r\nConnection: close\r\n/);
  t.notRegex(second, /Keep-Alive/);
});
