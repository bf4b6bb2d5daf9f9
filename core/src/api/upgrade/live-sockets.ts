import type { Socket } from 'node:net';
import type { Clock } from '@tappaas/sdk';
import type { WebSocket } from 'ws';
import { sweepEvery } from '../sweep.js';

const pingEveryMs = 20_000;

/** What a connection had received when it was pinged last; nothing when it was not pinged. */
interface Watched {
  readonly connection: Pick<Socket, 'bytesRead'>;
  bytesWhenPinged: number | undefined;
}

/**
 * Finds connections whose other end has vanished without a word: a client from which not one byte has come between a ping and the next is
 * cut off. A pong alone would not do as the sign of life, because it waits behind whatever the client has sent before.
 *
 * **Invariant:** a connection that the platform itself does not read, because what has come is still being worked on, is neither pinged
 * nor cut off.
 */
export class LiveSockets {
  readonly #sockets = new Map<WebSocket, Watched>();
  readonly #clock: Clock;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** `connection` carries the socket. */
  add(socket: WebSocket, connection: Pick<Socket, 'bytesRead'>): void {
    this.#sockets.set(socket, { connection, bytesWhenPinged: undefined });
    socket.once('close', () => void this.#sockets.delete(socket));
  }

  /** Runs until the signal aborts. */
  sweep(signal: AbortSignal): Promise<void> {
    return sweepEvery(this.#sockets, () => lookAt, { clock: this.#clock, everyMs: pingEveryMs, signal });
  }
}

function lookAt([socket, watched]: readonly [WebSocket, Watched]): void {
  const { bytesRead } = watched.connection;
  if (socket.isPaused) watched.bytesWhenPinged = undefined;
  else if (watched.bytesWhenPinged === bytesRead) socket.terminate();
  else {
    watched.bytesWhenPinged = bytesRead;
    if (socket.readyState === socket.OPEN) socket.ping();
  }
}
