/** Delays of rooms, with a fake connection: longer after each failure, and as long as the platform requests. */
import { EventEmitter } from 'node:events';
import test from 'ava';
import { Rooms } from '../dist/rooms.js';
import type { Closing } from '../dist/room-message.js';

type Answered = (late: unknown, answer: object) => void;
type Join = (socket: PlayedSocket, room: string, answered: Answered) => void;

/** The part of socket.io's client that rooms use; connects on request, and accepts every join. */
class PlayedSocket extends EventEmitter {
  connected = false;
  active = false;
  readonly #join: Join;
  readonly #handshake: (socket: PlayedSocket) => void;

  constructor(join: Join, handshake: (socket: PlayedSocket) => void = (socket) => socket.succeed()) {
    super();
    this.#join = join;
    this.#handshake = handshake;
  }

  connect(): void {
    this.active = true;
    queueMicrotask(() => this.#handshake(this));
  }

  succeed(): void {
    this.connected = true;
    this.emit('connect');
  }

  refuse(data: object): void {
    this.active = false;
    this.emit('connect_error', Object.assign(new Error('refused'), { data }));
  }

  disconnect(): void {
    this.active = false;
    this.connected = false;
  }

  timeout() {
    return {
      emit: (name: string, { id }: { readonly id?: string }, answered: Answered): void => {
        if (name === 'join') queueMicrotask(() => this.#join(this, id ?? '', answered));
        else answered(undefined, {});
      },
    };
  }

  close(closing: Closing): void {
    this.emit('closed', closing);
  }
}

const request = { topic: 'operations' } as const;

/** Follows a room until it has waited `count` times; returns the delays. */
async function waits(socket: PlayedSocket, count: number): Promise<number[]> {
  const made: number[] = [];
  const over = new AbortController();
  const devices = {
    nowMs: () => 0,
    random: () => 1,
    sleep: async (ms: number) => {
      made.push(ms);
      if (made.length >= count) over.abort();
    },
  };
  const rooms = new Rooms({ devices, server: 'https://127.0.0.1', token: () => 'x', open: () => socket as never });
  for await (const _ of rooms.follow(request, over.signal));
  rooms.close();
  return made;
}

test('a room that the platform closes again and again is joined after longer and longer', async (t) => {
  const joined: string[] = [];
  const socket = new PlayedSocket((played, room, answered) => {
    joined.push(room);
    if (joined.length > 20) return;
    answered(undefined, { room });
    played.close({ room, error: { code: 503 } });
  });
  t.deepEqual(await waits(socket, 4), [250, 500, 1000, 2000]);
  t.is(joined.length, 4);
});

test('a refused join and a refused handshake are tried again when the platform asked for it', async (t) => {
  const refusal = { code: 429, details: { retryAfterSeconds: 7 } };
  const join = new PlayedSocket((_, __, answered) => answered(undefined, { error: refusal }));
  t.deepEqual(await waits(join, 2), [7250, 7500]);
  const handshake = new PlayedSocket(
    () => {},
    (socket) => socket.refuse(refusal),
  );
  t.deepEqual(await waits(handshake, 2), [7250, 7500]);
});
