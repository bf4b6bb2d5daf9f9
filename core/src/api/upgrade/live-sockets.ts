import type { Socket } from 'node:net';
import type { Clock } from '@tappaas/sdk';
import type { WebSocket } from 'ws';
import { sweepEvery } from '../sweep.js';

const pingEveryMs = 20_000;

/** Bytes received on a connection before the last ping; undefined if it was not pinged. */
interface Watched {
  readonly connection: Pick<Socket, 'bytesRead'>;
  bytesWhenPinged: number | undefined;
}

/**
 * Detects connections whose client has vanished: if not a single byte arrives between two pings, the connection is cut off. Waiting for the
 * pong would not do, because it arrives only after everything that the client has sent before.
 *
 * **Invariant:** a connection that the platform itself does not read, because earlier messages are still being processed, is neither pinged
 * nor cut off.
 */
export class LiveSockets {
  readonly #sockets = new Map<WebSocket, Watched>();
  readonly #clock: Clock;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** `connection` is the TCP connection below the socket. */
  add(socket: WebSocket, connection: Pick<Socket, 'bytesRead'>): void {
    this.#sockets.set(socket, { connection, bytesWhenPinged: undefined });
    socket.once('close', () => void this.#sockets.delete(socket));
  }

  /** Pings all sockets periodically until the signal aborts. */
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
