/** Subscriptions on fake connections: when they end, and how long they wait before a retry. */
import { EventEmitter } from 'node:events';
import test from 'ava';
import type { Devices } from '../dist/back-off.js';
import { subscribe } from '../dist/subscription.js';

interface Sent {
  readonly type: string;
}

/** The part of a WebSocket that subscriptions use; `answer` plays the platform. */
class PlayedSocket {
  readonly bufferedAmount = 0;
  isClosed = false;
  readonly #listeners = new EventEmitter();
  readonly #answer: (socket: PlayedSocket, message: Sent) => void;

  constructor(answer: (socket: PlayedSocket, message: Sent) => void, isThere = true) {
    this.#answer = answer;
    setImmediate(() => (isThere ? void this.#listeners.emit('open') : this.breakOff()));
  }

  addEventListener(name: string, received: (event: never) => void): void {
    this.#listeners.on(name, received as (event: unknown) => void);
  }

  send(text: string): void {
    const message = JSON.parse(text) as Sent;
    if (message.type === 'connection_init') this.say({ type: 'connection_ack' });
    else this.#answer(this, message);
  }

  say(message: object): void {
    this.#listeners.emit('message', { data: JSON.stringify(message) });
  }

  close(): void {
    this.isClosed = true;
  }

  breakOff(): void {
    this.#listeners.emit('close', { code: 1006, reason: '' });
  }
}

/** Never resolves; rejects when the signal aborts. */
const sleepUntilAborted: Devices['sleep'] = (_, signal) =>
  new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason as Error);
    else signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
  });

const parts = (openSocket: () => Promise<PlayedSocket>, sleep = sleepUntilAborted) => ({
  transport: { openSocket } as never,
  url: new URL('ws://here/'),
  token: () => 't',
  devices: { nowMs: () => 0, random: () => 1, sleep },
});

test('whoever leaves while a subscription opens is told nothing, and its connection is closed', async (t) => {
  const over = new AbortController();
  const socket = new PlayedSocket((played) => played.say({ id: '1', type: 'next', payload: { data: { x: 1 } } }));
  const openSocket = async (): Promise<PlayedSocket> => {
    over.abort();
    return socket;
  };
  // Does not leave the loop, which would hide an event.
  for await (const event of subscribe(parts(openSocket), 'subscription { x }', {}, { signal: over.signal })) {
    t.fail(`told ${JSON.stringify(event)}`);
    socket.breakOff();
  }
  t.true(socket.isClosed);
});

test('a quiet subscription whose connection has lived is taken up soon when it breaks, however often one broke before', async (t) => {
  const over = new AbortController();
  const waitsMs: number[] = [];
  let opened = 0;
  // Odd connections are pinged before they break; even ones never open.
  const openSocket = async (): Promise<PlayedSocket> => {
    opened += 1;
    const isThere = opened % 2 === 1;
    const socket: PlayedSocket = new PlayedSocket((played, { type }) => {
      if (type !== 'ping') return;
      played.say({ type: 'pong' });
      played.breakOff();
    }, isThere);
    return socket;
  };
  const sleep: Devices['sleep'] = async (ms, signal) => {
    if (ms === 30_000) await sleepUntilAborted(ms, signal);
    if (ms >= 20_000) return;
    waitsMs.push(ms);
    if (waitsMs.length === 6) over.abort();
  };
  const variables = { since: '1' };
  for await (const _ of subscribe(parts(openSocket, sleep), 'subscription ($since: String) { x }', variables, { signal: over.signal }));
  t.deepEqual(waitsMs, [250, 500, 250, 500, 250, 500]);
});
