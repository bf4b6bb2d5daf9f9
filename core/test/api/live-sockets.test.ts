import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import test, { type ExecutionContext } from 'ava';
import { WebSocket, WebSocketServer } from 'ws';
import { conversationOf } from '../../dist/api/upgrade/conversation.js';
import { LiveSockets } from '../../dist/api/upgrade/live-sockets.js';
import { VirtualClock } from '../virtual-clock.ts';
import { realClock, startServer } from './running-server.ts';

const pingEveryMs = 20_000;

/** Both ends of a real connection. */
interface Pair {
  readonly client: WebSocket;
  readonly served: WebSocket;
}

/** A server whose connections are swept, on a clock that the test moves on. */
async function world(t: ExecutionContext) {
  const clock = new VirtualClock();
  const live = new LiveSockets(clock);
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  await once(server, 'listening');
  const over = new AbortController();
  const swept = live.sweep(over.signal);
  t.teardown(async () => {
    over.abort();
    await swept;
    for (const each of server.clients) each.terminate();
    server.close();
  });
  const open = async (options: { readonly autoPong?: boolean } = {}): Promise<Pair> => {
    const client = new WebSocket(`ws://127.0.0.1:${(server.address() as AddressInfo).port}`, options);
    const [[served, request]] = await Promise.all([once(server, 'connection'), once(client, 'open')]);
    live.add(served, request.socket);
    return { client, served };
  };
  return { clock, over, swept, open };
}

const until = async (isSo: () => boolean): Promise<void> => {
  while (!isSo()) await delay(5);
};

test('a client that does not answer a ping is cut off by the next one, and one that answers lives', async (t) => {
  const { clock, open } = await world(t);
  const [deaf, alive] = [await open({ autoPong: false }), await open()];
  const closed = once(deaf.client, 'close');
  for (let round = 0; round < 5; round += 1) {
    const answered = once(alive.served, 'pong');
    await clock.advance(pingEveryMs);
    await answered;
    t.is(deaf.served.readyState === WebSocket.OPEN, round === 0, `after ${round + 1} rounds`);
  }
  t.is((await closed)[0], 1006);
  t.is(alive.client.readyState, WebSocket.OPEN);
});

test('a client that is still sending lives, though its pong has not come yet', async (t) => {
  const { clock, open } = await world(t);
  const busy = await open({ autoPong: false });
  for (let round = 0; round < 5; round += 1) {
    await clock.advance(pingEveryMs);
    const received = once(busy.served, 'message');
    busy.client.send('more');
    await received;
  }
  t.is(busy.served.readyState, WebSocket.OPEN);
});

test('a client whose messages the platform does not take yet is not cut off, and has to answer again when they are taken', async (t) => {
  const { clock, open } = await world(t);
  const { client, served } = await open();
  const taken = conversationOf(served, { clock, drainMsMax: 30_000 }).messages[Symbol.asyncIterator]();
  for (let index = 0; index < 100; index += 1) client.send(`message ${index}`);
  await until(() => served.isPaused);
  await clock.advance(10 * pingEveryMs);
  t.is(served.readyState, WebSocket.OPEN);
  for (let index = 0; index < 100; index += 1) t.is(String((await taken.next()).value), `message ${index}`);
  const answered = once(served, 'pong');
  await clock.advance(pingEveryMs);
  await answered;
  // From now on the client answers nothing.
  (client as unknown as { _autoPong: boolean })._autoPong = false;
  const closed = once(client, 'close');
  await clock.advance(2 * pingEveryMs);
  t.is((await closed)[0], 1006);
});

test('the sweep ends with its signal', async (t) => {
  const { clock, over, swept, open } = await world(t);
  await open();
  over.abort();
  await swept;
  t.is(clock.sleeping, 0);
});

test('a running server sweeps the WebSockets that are open on it, until it stops', async (t) => {
  const sleeping: { readonly wake: () => void; readonly signal: AbortSignal }[] = [];
  // Time between two pings passes when the test says so, all other time by itself.
  const sleep = (ms: number, signal: AbortSignal): Promise<void> =>
    ms === pingEveryMs ? new Promise((wake) => void sleeping.push({ wake, signal })) : realClock.sleep(ms, signal);
  const { server, port } = await startServer(t, {
    clock: { ...realClock, sleep },
    upgrades: () => [
      {
        path: '/echo',
        match: ({ info }) => info.path === '/echo',
        handle: async (call) => {
          const socket = await call.accept();
          socket.on('message', (data) => socket.send(data));
          await once(socket, 'close');
        },
      },
    ],
  });
  const open = async (autoPong: boolean): Promise<WebSocket> => {
    const client = new WebSocket(`ws://127.0.0.1:${port}/echo`, { headers: { authorization: 'Bearer admin' }, autoPong });
    await once(client, 'open');
    return client;
  };
  const [deaf, alive] = [await open(false), await open(true)];
  const closed = once(deaf, 'close');
  for (let round = 0; round < 2; round += 1) {
    const pinged = once(alive, 'ping');
    sleeping.shift()?.wake();
    await pinged;
    // What answers this has received the pong before.
    alive.send('still here');
    await once(alive, 'message');
  }
  t.is((await closed)[0], 1006);
  t.is(alive.readyState, WebSocket.OPEN);
  t.is(sleeping.length, 1);
  await server.close();
  t.true(sleeping[0]?.signal.aborted);
});
