import { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';
import test from 'ava';
import type { WebSocket } from 'ws';
import { InFlight } from '../../dist/api/in-flight.js';
import type { Exchange } from '../../dist/api/request/exchange.js';
import { sweepEvery, visitsPerTurn } from '../../dist/api/sweep.js';
import { LiveSockets } from '../../dist/api/upgrade/live-sockets.js';
import type { StreamCredentials } from '../../dist/api/watch/stream-credentials.js';
import { VirtualClock } from '../virtual-clock.ts';

/** Runs what sweeps, and answers how often it did something in each turn of the event loop, until it rests. */
async function turnsOf(counted: () => number, run: () => void): Promise<number[]> {
  const turns: number[] = [];
  let before = counted();
  run();
  for (let quiet = 0; quiet < 5; quiet += 1) {
    await turn();
    const now = counted();
    if (now === before) continue;
    turns.push(now - before);
    before = now;
    quiet = 0;
  }
  return turns;
}

class FakeSocket extends EventEmitter {
  readonly OPEN = 1;
  readyState = 1;
  pings = 0;
  readonly isPaused = false;
  bytesRead = 0;

  ping(): void {
    this.pings += 1;
  }

  terminate(): void {
    this.readyState = 3;
    this.emit('close');
  }
}

test('all sockets are pinged, a few in a turn of the event loop, and those that did not answer are cut off', async (t) => {
  const clock = new VirtualClock();
  const live = new LiveSockets(clock);
  const sockets = Array.from({ length: 2_000 }, () => new FakeSocket());
  for (const socket of sockets) live.add(socket as unknown as WebSocket, socket);
  const over = new AbortController();
  const pings = (): number => sockets.reduce((sum, socket) => sum + socket.pings, 0);
  const turns = await turnsOf(pings, () => void live.sweep(over.signal));
  t.is(pings(), 2_000);
  t.true(Math.max(...turns) <= 2 * visitsPerTurn, `${Math.max(...turns)} in a turn`);
  for (const socket of sockets.slice(1_000)) socket.bytesRead += 2;
  await clock.advance(20_000);
  await turnsOf(pings, () => {});
  t.true(sockets.every(({ readyState }, index) => readyState === (index < 1_000 ? 3 : 1)));
  over.abort();
});

const credentials = (check: () => void): StreamCredentials => ({ check: async () => check() }) as unknown as StreamCredentials;

/** An exchange that counts how often it is looked at. */
function exchangeOn(socket: Socket, looked: () => void): Exchange & { readonly reasons: unknown[] } {
  const reasons: unknown[] = [];
  const exchange = {
    reasons,
    deadlineMs: Infinity,
    get request() {
      looked();
      return { socket };
    },
    abort: (reason: unknown) => void reasons.push(reason),
  };
  return exchange as unknown as Exchange & { readonly reasons: unknown[] };
}

test('a connection that closes ends what was asked on it, and looks at nothing else', (t) => {
  const flight = new InFlight(
    new VirtualClock(),
    credentials(() => {}),
  );
  let looks = 0;
  const sockets = Array.from({ length: 1_000 }, () => ({}) as Socket);
  const exchanges = sockets.flatMap((socket) => [0, 1].map(() => exchangeOn(socket, () => (looks += 1))));
  for (const exchange of exchanges) flight.add(exchange);
  t.is(flight.connections().size, 1_000);
  looks = 0;
  for (const socket of sockets.slice(0, 500)) flight.abandon(socket);
  t.true(looks <= 1_000, `${looks} looks`);
  t.true(exchanges.every(({ reasons }, index) => reasons.length === (index < 1_000 ? 1 : 0)));
  const [first, second] = exchanges.slice(-2);
  if (first === undefined || second === undefined) return t.fail();
  flight.delete(first);
  t.is(flight.connections().size, 1_000);
  flight.delete(second);
  t.is(flight.connections().size, 999);
  t.is(flight.size, 1_998);
});

test('the credentials of streams are looked at a few in a turn of the event loop', async (t) => {
  let checks = 0;
  const flight = new InFlight(
    new VirtualClock(),
    credentials(() => (checks += 1)),
  );
  for (let index = 0; index < 2_000; index += 1) flight.add(exchangeOn({} as Socket, () => {}));
  const turns = await turnsOf(
    () => checks,
    () => void flight.sweep(),
  );
  t.is(checks, 2_000);
  t.true(Math.max(...turns) <= 2 * visitsPerTurn, `${Math.max(...turns)} in a turn`);
  flight.stop();
});

test('a sweep ends however much comes while it goes on, and what came has its time with the next one', async (t) => {
  const entries = new Set(Array.from({ length: 2 * visitsPerTurn }, (_, index) => index));
  const stopping = new AbortController();
  const sweeps: number[] = [];
  const clock = { sleep: async () => (sweeps.length === 2 ? stopping.abort() : undefined) };
  const begin = () => {
    sweeps.push(0);
    return (entry: number): void => {
      sweeps.push((sweeps.pop() ?? 0) + 1);
      if (sweeps.length === 1) entries.add(-1 - entry);
      if ((sweeps.at(-1) ?? 0) > 100 * visitsPerTurn) throw new Error('it never ends');
    };
  };
  await sweepEvery(entries, begin, { clock, everyMs: 1, signal: stopping.signal });
  t.deepEqual(sweeps, [2 * visitsPerTurn, 4 * visitsPerTurn]);
});
