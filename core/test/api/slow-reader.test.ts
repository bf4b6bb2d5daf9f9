import { EventEmitter } from 'node:events';
import { PassThrough } from 'node:stream';
import { setImmediate as turn } from 'node:timers/promises';
import test from 'ava';
import type { WebSocket } from 'ws';
import type { Exchange } from '../../dist/api/request/exchange.js';
import { drained } from '../../dist/api/watch/stream-pace.js';
import { SocketPace } from '../../dist/api/upgrade/web-socket.js';
import { VirtualClock } from '../virtual-clock.ts';

const drainMsMax = 30_000;
const slow = { code: 'TAP_REQUEST_SLOW_READER' };

/** A WebSocket whose client reads only when a test says so. */
class FakeSocket extends EventEmitter {
  readonly OPEN = 1;
  readyState = 1;
  bufferedAmount = 0;
  terminated = 0;
  readonly #sent: (() => void)[] = [];

  send(data: string, _: object, sent: () => void): void {
    this.bufferedAmount += data.length;
    this.#sent.push(sent);
  }

  read(): void {
    this.bufferedAmount = 0;
    for (const sent of this.#sent.splice(0)) sent();
  }

  terminate(): void {
    this.terminated += 1;
    this.readyState = 3;
    this.emit('close');
  }
}

function world(): { readonly socket: FakeSocket; readonly clock: VirtualClock; readonly pace: SocketPace } {
  const [socket, clock] = [new FakeSocket(), new VirtualClock()];
  return { socket, clock, pace: new SocketPace(socket as unknown as WebSocket, { clock, drainMsMax }) };
}

const large = 'x'.repeat(300_000);

test('everybody who waits for the same client goes on when it has read, and it is not cut off', async (t) => {
  const { socket, clock, pace } = world();
  t.false(pace.write(large));
  const waiting = [pace.drained(), pace.drained(), pace.drained()];
  await turn();
  socket.read();
  await Promise.all(waiting);
  await clock.advance(2 * drainMsMax);
  t.is(socket.terminated, 0);
  t.false(pace.write(large));
  const again = pace.drained();
  socket.read();
  await again;
});

test('whoever begins to wait in the turn in which others go on waits for room of their own', async (t) => {
  const { socket, pace } = world();
  pace.write(large);
  const first = pace.drained();
  socket.read();
  pace.write(large);
  let isOver = false;
  const second = pace.drained().then(() => (isOver = true));
  await first;
  await turn();
  t.false(isOver);
  socket.read();
  await second;
});

test('a client that reads nothing is cut off once, and everybody who waits for it is told', async (t) => {
  const { socket, clock, pace } = world();
  pace.write(large);
  const first = t.throwsAsync(pace.drained(), slow);
  await clock.advance(drainMsMax - 1);
  const second = t.throwsAsync(pace.drained(), slow);
  t.is(socket.terminated, 0);
  await clock.advance(1);
  await Promise.all([first, second]);
  t.is(socket.terminated, 1);
  t.true(pace.write(large), 'what is written to a closed socket is dropped');
  await pace.drained();
});

test('a client that leaves holds up nobody', async (t) => {
  const { socket, pace } = world();
  pace.write(large);
  const waiting = [pace.drained(), pace.drained()];
  socket.terminate();
  await t.notThrowsAsync(Promise.all(waiting));
});

test('an answer over HTTP is waited for in the same way, and its end for another reason is thrown as that', async (t) => {
  const clock = new VirtualClock();
  const limits = { clock, drainMsMax };
  const over = new AbortController();
  const response = new PassThrough();
  const exchange = { response, signal: over.signal } as unknown as Exchange;
  const read = drained(exchange, limits);
  response.emit('drain');
  await t.notThrowsAsync(read);
  const reason = new Error('the platform stops');
  const broken = t.throwsAsync(drained(exchange, limits), { is: reason });
  over.abort(reason);
  await broken;
  t.false(response.destroyed);
  t.deepEqual([response.listenerCount('drain'), response.listenerCount('close')], [0, 0]);
  const failed = new Promise((resolve) => void response.once('error', resolve));
  const late = t.throwsAsync(drained({ response, signal: new AbortController().signal } as unknown as Exchange, limits), slow);
  await clock.advance(drainMsMax);
  await late;
  t.like(await failed, slow);
});
