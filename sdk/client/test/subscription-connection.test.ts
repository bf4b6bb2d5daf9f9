/** Subscriptions on connections that are played: when they end, and how long they wait before they begin again. */
import { EventEmitter } from 'node:events';
import test from 'ava';
import type { Devices } from '../dist/back-off.js';
import { subscribe } from '../dist/subscription.js';

interface Sent {
  readonly type: string;
}

/** As much of a WebSocket as subscriptions use; what is sent is answered by whoever plays the platform. */
class PlayedSocket {
  readonly bufferedAmount = 0;
  isClosed = false;
  readonly #heard = new EventEmitter();
  readonly #answer: (socket: PlayedSocket, message: Sent) => void;

  constructor(answer: (socket: PlayedSocket, message: Sent) => void) {
    this.#answer = answer;
    setImmediate(() => void this.#heard.emit('open'));
  }

  addEventListener(name: string, heard: (event: never) => void): void {
    this.#heard.on(name, heard);
  }

  send(text: string): void {
    const message = JSON.parse(text) as Sent;
    if (message.type === 'connection_init') this.say({ type: 'connection_ack' });
    else this.#answer(this, message);
  }

  say(message: object): void {
    this.#heard.emit('message', { data: JSON.stringify(message) });
  }

  close(): void {
    this.isClosed = true;
  }

  breakOff(): void {
    this.#heard.emit('close', { code: 1006, reason: '' });
  }
}

/** Never over, until the signal aborts. */
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
  // A program that leaves at the first event would hide that there is one.
  for await (const event of subscribe(parts(openSocket), 'subscription { x }', {}, { signal: over.signal })) {
    t.fail(`told ${JSON.stringify(event)}`);
    socket.breakOff();
  }
  t.true(socket.isClosed);
});
