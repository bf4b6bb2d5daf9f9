/** How one process of the API ends: whoever was being answered hears the answer to its end. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { setImmediate as turn } from 'node:timers/promises';
import test from 'ava';
import { realClock, startServer } from './running-server.ts';
import { rawRequest } from './raw-socket.ts';

const path = '/api/v1/namespaces/default/configmaps/a';
const collection = '/api/v1/namespaces/default/configmaps';
const configMap = (name: string, value: string) => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, namespace: 'default' },
  data: { value },
});

async function open(port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  await once(socket, 'connect');
  return socket;
}

interface Asked {
  readonly answers: number;
  /** The server said that it closes the connection. */
  readonly wasReported: boolean;
  /** Something was asked and not, or not wholly, answered. */
  readonly wasCut: boolean;
}

/** Asks on one connection, again as soon as it is answered, until the server says that it closes or does so. */
function askOn(socket: Socket, request: string): Promise<Asked> {
  return new Promise((resolve) => {
    let received = '';
    let answers = 0;
    let wasReported = false;
    const isWhole = (): boolean => {
      const end = received.indexOf('\r\n\r\n');
      const length = Number(/content-length: (\d+)/i.exec(received.slice(0, end))?.[1] ?? 0);
      return end > 0 && received.length >= end + 4 + length;
    };
    const over = (wasCut: boolean): void => resolve({ answers, wasReported, wasCut });
    socket.on('data', (chunk: Buffer) => {
      received += chunk.toString('latin1');
      if (!isWhole()) return;
      answers += 1;
      wasReported = /^connection: close/im.test(received.slice(0, received.indexOf('\r\n\r\n')));
      received = '';
      if (!wasReported) socket.write(request);
    });
    socket.on('error', () => over(!wasReported));
    socket.on('close', () => over(!wasReported || received !== ''));
    socket.write(request);
  });
}

/**
 * Clients and server share a thread here. Where the machine keeps it from its work for longer than a connection may be quiet, the clients
 * have not had their turn either: they have it before the server judges them.
 */
const fairClock = {
  ...realClock,
  async sleep(ms: number, signal: AbortSignal): Promise<void> {
    await realClock.sleep(ms, signal);
    for (let turns = 0; turns < 10; turns += 1) await turn();
  },
};

test('a stop under load cuts no answer, large or small, and tells every connection with its last one', async (t) => {
  const { server, port, ask } = await startServer(t, { clock: fairClock });
  await ask(collection, { method: 'POST', body: configMap('a', 'x') });
  await ask(collection, { method: 'POST', body: configMap('large', 'x'.repeat(900_000)) });
  const sockets = await Promise.all(Array.from({ length: 40 }, () => open(port)));
  const asking = sockets.map((socket, index) => {
    const get = rawRequest(`GET ${index % 4 === 0 ? collection : path} HTTP/1.1`);
    const headers = ['Content-Type: application/merge-patch+json', 'Content-Length: 26'];
    return askOn(socket, index % 4 === 1 ? rawRequest(`PATCH ${path} HTTP/1.1`, headers, '{"data":{"value":"anew!"}}') : get);
  });
  await ask(path);
  await server.close();
  const requested = await Promise.all(asking);
  t.deepEqual(
    requested.filter(({ wasCut }) => wasCut),
    [],
  );
  t.true(requested.every(({ answers }) => answers > 0));
});

test('a request that arrives on a kept connection while the API stops is answered', async (t) => {
  const { server, port } = await startServer(t);
  const socket = await open(port);
  const closing = server.close();
  socket.write(rawRequest(`GET ${collection} HTTP/1.1`));
  const answer = await text(socket);
  t.regex(answer, /^HTTP\/1\.1 200 OK[^]*Connection: close/);
  await closing;
});

test('an answer that the client is slow to take goes out whole before its connection ends', async (t) => {
  const { server, port, ask } = await startServer(t);
  for (let index = 0; index < 12; index += 1) await ask(collection, { method: 'POST', body: configMap(`c${index}`, 'x'.repeat(900_000)) });
  const socket = await open(port);
  socket.write(rawRequest(`GET ${collection} HTTP/1.1`));
  await once(socket, 'readable');
  // It reads nothing until the API has begun to stop and would have ended a connection that is silent.
  const closing = server.close();
  await new Promise((resolve) => setTimeout(resolve, 200));
  const answer = await text(socket);
  const [head = '', body = ''] = answer.split('\r\n\r\n');
  t.is(Buffer.byteLength(body), Number(/content-length: (\d+)/i.exec(head)?.[1]));
  await closing;
});

test('connections that nobody uses do not hold up a stop, and one that is never read holds it up for its limit', async (t) => {
  const idle = await startServer(t, { limits: { stopMsMax: 600_000 } });
  const sockets = await Promise.all(Array.from({ length: 5 }, () => open(idle.port)));
  const ended = Promise.all(sockets.map((socket) => once(socket.resume(), 'close')));
  const startMs = performance.now();
  await idle.server.close();
  await ended;
  t.true(performance.now() - startMs < 60_000);

  const warned: object[] = [];
  const quiet = (): void => {};
  const log = { debug: quiet, info: quiet, error: quiet, warn: (_: string, fields: object = {}) => void warned.push(fields) };
  const unread = await startServer(t, { limits: { stopMsMax: 300 }, log });
  for (let index = 0; index < 12; index += 1)
    await unread.ask(collection, { method: 'POST', body: configMap(`c${index}`, 'x'.repeat(900_000)) });
  const socket = await open(unread.port);
  socket.write(rawRequest(`GET ${collection} HTTP/1.1`));
  await once(socket, 'readable');
  socket.on('error', () => {});
  await unread.server.close();
  socket.destroy();
  t.like(warned.at(-1), { unread: 1 });
});

test('readiness fails while new connections are still taken, for as long as the stop is announced', async (t) => {
  let announced = (): void => {};
  const over = new Promise<void>((resolve) => (announced = resolve));
  const clock = {
    nowMs: () => Date.now(),
    sleep: (ms: number, signal: AbortSignal) =>
      ms === 7_000
        ? over
        : new Promise<void>((resolve, reject) => {
            const timer = setTimeout(resolve, ms);
            signal.addEventListener('abort', () => {
              clearTimeout(timer);
              reject(signal.reason as Error);
            });
          }),
  };
  const { server, ask, port } = await startServer(t, { clock });
  t.is((await ask('/readyz')).status, 200);
  const closing = server.close({ announceMs: 7_000 });
  t.is((await ask('/readyz')).status, 503);
  t.is((await ask('/livez')).status, 200);
  announced();
  await closing;
  await t.throwsAsync(open(port), { code: 'ECONNREFUSED' });
});
