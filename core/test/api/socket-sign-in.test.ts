import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import test from 'ava';
import { WebSocket } from 'ws';
import { apiErrors } from '../../dist/api/errors.js';
import type { ApiServerOptions } from '../../dist/api/server-options.js';
import { unauthenticatedSeats } from '../../dist/api/connection/unauthenticated-clients.js';
import { startServer } from './running-server.ts';

const connect = '40{"token":"admin"}';
const isSignedIn = (packet: string): boolean => packet.startsWith('40{');
const isRefusal = (packet: string): boolean => packet.startsWith('44{');

/** Speaks socket.io as no client of it does: what it sends is sent whatever was answered. */
async function open(t: Parameters<typeof startServer>[0], options: Partial<ApiServerOptions>, headers: Record<string, string> = {}) {
  const server = await startServer(t, options);
  const socket = new WebSocket(`ws://127.0.0.1:${server.port}/socket.io/?EIO=4&transport=websocket`, { headers });
  t.teardown(async () => socket.terminate());
  const packets: string[] = [];
  socket.on('message', (data) => void packets.push((data as Buffer).toString()));
  const closed = once(socket, 'close');
  await once(socket, 'message');
  const next = async (): Promise<string> => ((await once(socket, 'message'))[0] as Buffer).toString();
  return { server, socket, packets, closed, next };
}

test('who was refused a seat at its sign-in is not admitted by asking again on the same connection', async (t) => {
  let requested = 0;
  const { server, socket, packets, closed, next } = await open(t, {
    flow: ({ stream }) => {
      if (stream) requested += 1;
      if (stream && requested === 1) throw apiErrors.TAP_REQUEST_STRANGERS({ message: 'no seat is left', retryAfterMs: 1000 });
      return { release: () => {} };
    },
  });
  socket.send(connect);
  t.true(isRefusal(await next()));
  socket.send(connect);
  await closed;
  t.deepEqual(packets.filter(isSignedIn), []);
  t.deepEqual(
    server.audited.map(({ outcome }) => outcome?.errorCode),
    ['TAP_REQUEST_STRANGERS'],
  );
});

test('who may not act as somebody else is not admitted as itself when it asks again', async (t) => {
  const { socket, packets, closed, next } = await open(
    t,
    { authorize: ({ verb }) => ({ decision: verb === 'impersonate' ? 'deny' : 'allow', reason: '' }) },
    { 'impersonate-user': 'bob' },
  );
  socket.send(connect);
  t.regex(await next(), /cannot impersonate/);
  socket.send(connect);
  await closed;
  t.deepEqual(packets.filter(isSignedIn), []);
});

test('who was refused is cut off as soon as it could read why, and has its seat until then', async (t) => {
  let seats = 0;
  const released = Promise.withResolvers<void>();
  const { socket, closed, next } = await open(t, {
    authorize: () => ({ decision: 'deny', reason: '' }),
    flow: () => {
      seats += 1;
      return { release: () => released.resolve(void (seats -= 1)) };
    },
  });
  socket.send(connect);
  t.true(isRefusal(await next()));
  t.is(seats, 1);
  // The library, which closes in order after ten seconds, was not waited for.
  t.is((await closed)[0], 1006);
  await released.promise;
  t.is(seats, 0);
});

test('a stranger that was refused has its seat until it is gone, so that refusals open no more connections at once', async (t) => {
  // Nobody cuts it off meanwhile.
  const clock = { nowMs: () => Date.now(), sleep: (_: number, signal: AbortSignal) => delay(3_600_000, undefined, { signal, ref: false }) };
  const { server, socket, closed, next } = await open(t, { clock });
  socket.send('40{"token":"nobody"}');
  t.true(isRefusal(await next()));
  const others = Array.from({ length: unauthenticatedSeats.seatsPerAddressMax }, () => {
    const other = new WebSocket(`ws://127.0.0.1:${server.port}/socket.io/?EIO=4&transport=websocket`);
    const open = once(other, 'open').then(() => 101);
    const refused = once(other, 'unexpected-response').then(([, { statusCode }]) => statusCode as number);
    return { other, answer: Promise.race([open, refused]) };
  });
  const answers = await Promise.all(others.map(({ answer }) => answer));
  t.is(answers.filter((status) => status === 429).length, 1);
  for (const { other } of others) other.on('error', () => {}).terminate();
  socket.terminate();
  await closed;
});

test('a connection is one client, however often it asks to be one', async (t) => {
  const arrived = Promise.withResolvers<void>();
  const known = Promise.withResolvers<void>();
  const { socket, packets, closed } = await open(t, {
    authenticate: async ({ headers }) => {
      if (headers['authorization'] === undefined) return undefined;
      arrived.resolve();
      await known.promise;
      return { caller: { name: 'admin', groups: [] }, credentialId: 'admin' };
    },
    authorize: () => ({ decision: 'allow', reason: '' }),
  });
  socket.send(connect);
  await arrived.promise;
  socket.send(connect);
  socket.ping();
  await Promise.race([once(socket, 'pong'), closed]);
  known.resolve();
  await closed;
  t.true(packets.filter(isSignedIn).length <= 1);
});
