import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';
import type { Clock } from '@tappaas/sdk';

/** A connection without incoming data for that long is considered quiet. */
const quietMs = 50;
/** Maximum connections to wait for; one turn of the event loop accepts one. */
const takenMax = 1_000;

/** Tracks the connections of a listener, so that a shutdown can end each once everything on it is answered. */
export class OpenConnections {
  #taken = 0;
  /** All accepted connections, including unfinished TLS handshakes. */
  readonly #arrived = new Set<Socket>();
  /** Connections ready for HTTP. */
  readonly #speaking = new Set<Socket>();

  /** Tracks the connections of a server; calls `closed` for each one that was ready for HTTP. */
  constructor(server: Server, isSecure: boolean, closed: (socket: Socket) => void) {
    server.on('connection', (socket: Socket) => {
      this.#taken += 1;
      keep(this.#arrived, socket);
    });
    server.on(isSecure ? 'secureConnection' : 'connection', (socket: Socket) => {
      keep(this.#speaking, socket);
      socket.once('close', () => closed(socket));
    });
  }

  /** Resolves when all clients that have connected so far are accepted; closing the listener earlier would refuse them. */
  async whenTaken(): Promise<void> {
    const last = this.#taken + takenMax;
    let known;
    do {
      known = this.#taken;
      // The first may only complete the present turn.
      await turn();
      await turn();
    } while (this.#taken > known && known < last);
  }

  /**
   * Ends quiet connections one by one, after what was written is sent. Connections with a request in progress, or with data received since
   * the last check, are kept.
   */
  async endQuiet(beingServed: () => ReadonlySet<Socket>, clock: Clock, signal: AbortSignal): Promise<void> {
    let bytesSeen = new Map<Socket, number>();
    while (!signal.aborted && this.#arrived.size > 0) {
      const served = beingServed();
      for (const socket of this.#speaking) {
        const isSilent = bytesSeen.get(socket) === socket.bytesRead && socket.writableLength === 0;
        if (isSilent && !served.has(socket)) socket.destroySoon();
      }
      bytesSeen = new Map([...this.#speaking].map((socket) => [socket, socket.bytesRead]));
      await clock.sleep(quietMs, signal).catch(() => {});
      // Reads pending input before the next check.
      await turn();
    }
  }

  destroyAll(): void {
    for (const socket of this.#arrived) socket.destroy();
  }

  /** Number of connections with unsent data that their clients have not read. */
  get unread(): number {
    return [...this.#speaking].filter(({ writableLength }) => writableLength > 0).length;
  }
}

function keep(sockets: Set<Socket>, socket: Socket): void {
  sockets.add(socket);
  socket.once('close', () => sockets.delete(socket));
}
