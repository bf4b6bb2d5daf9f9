import { EventEmitter } from 'node:events';
import { setImmediate as turn } from 'node:timers/promises';
import test from 'ava';
import type { WebSocket } from 'ws';
import { GraphqlSockets } from '../../../dist/api/graphql/socket.js';
import type { GraphqlParts } from '../../../dist/api/graphql/ports.js';
import type { UpgradeCall } from '../../../dist/api/upgrade/upgrade.js';
import { VirtualClock } from '../../virtual-clock.ts';

/** A WebSocket whose client sends, and reads only when a test says so. */
class FakeSocket extends EventEmitter {
  readonly OPEN = 1;
  readonly protocol = 'graphql-transport-ws';
  readyState = 1;
  bufferedAmount = 0;
  isPaused = false;
  readonly #unread: (() => void)[] = [];

  get unread(): number {
    return this.#unread.length;
  }

  send(data: string, _: object, sent: () => void): void {
    this.bufferedAmount += data.length;
    this.#unread.push(sent);
  }

  read(): void {
    this.bufferedAmount = 0;
    for (const sent of this.#unread.splice(0)) sent();
  }

  pause(): void {
    this.isPaused = true;
  }

  resume(): void {
    this.isPaused = false;
  }

  close(): void {
    if (this.readyState === this.OPEN) this.readyState = 2;
  }

  terminate(): void {
    this.readyState = 3;
    this.emit('close', 1006, Buffer.alloc(0));
  }
}

/** Sends pings until nobody reads them, at most 50,000; answers how many. */
async function flood(socket: FakeSocket): Promise<number> {
  let count = 0;
  for (; count < 50_000 && !socket.isPaused; count += 1) {
    socket.emit('message', Buffer.from('{"type":"ping"}'), false);
    if (count % 50 === 0) await turn();
  }
  return count;
}

test('answers to a client that has not signed in and does not read are bounded, and it is cut off', async (t) => {
  const [socket, clock] = [new FakeSocket(), new VirtualClock()];
  const exchange = { requestId: 'r', signal: new AbortController().signal };
  const call = { exchange, accept: async () => socket as unknown as WebSocket } as unknown as UpgradeCall;
  const sockets = new GraphqlSockets({ clock, settings: {} } as unknown as GraphqlParts, () => Promise.reject(new Error('not asked for')));
  const served = sockets.serve(call);
  await turn();
  t.true((await flood(socket)) < 1_300);
  t.true(socket.unread < 1_300);
  socket.read();
  await turn();
  t.false(socket.isPaused, 'a client that reads on is heard again');
  t.true((await flood(socket)) < 1_300);
  await clock.advance(30_000);
  t.is(socket.readyState, 3);
  await served;
});
