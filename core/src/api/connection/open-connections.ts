import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';
import type { Clock } from '@tappaas/sdk';

/** A connection that has said nothing for as long is not about to ask. */
const quietMs = 50;
/** A turn takes one connection. */
const takenMax = 1_000;

/** The connections of a listener, so that a stop can end each when nothing is left to say on it, and none before. */
export class OpenConnections {
  #taken = 0;
  /** As they came in; with TLS, handshakes that are not over included. */
  readonly #arrived = new Set<Socket>();
  /** Those that HTTP is spoken on. */
  readonly #speaking = new Set<Socket>();

  /** Watches a server; `closed` is told of connections that HTTP was spoken on. */
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

  /** Resolves when whoever has connected by now is here: a listener that is closed refuses those that it has not taken yet. */
  async whenTaken(): Promise<void> {
    const last = this.#taken + takenMax;
    let known;
    do {
      known = this.#taken;
      // The first may end the turn that we are in.
      await turn();
      await turn();
    } while (this.#taken > known && known < last);
  }

  /**
   * Ends connections one by one as they fall silent: what was written goes out first. Who is being answered is left alone, as is who has
   * just sent something.
   */
  async endQuiet(beingServed: () => ReadonlySet<Socket>, clock: Clock, signal: AbortSignal): Promise<void> {
    let heard = new Map<Socket, number>();
    while (!signal.aborted && this.#arrived.size > 0) {
      const served = beingServed();
      for (const socket of this.#speaking) {
        const isSilent = heard.get(socket) === socket.bytesRead && socket.writableLength === 0;
        if (isSilent && !served.has(socket)) socket.destroySoon();
      }
      heard = new Map([...this.#speaking].map((socket) => [socket, socket.bytesRead]));
      await clock.sleep(quietMs, signal).catch(() => {});
      // What has arrived until now is read before anybody is judged.
      await turn();
    }
  }

  destroyAll(): void {
    for (const socket of this.#arrived) socket.destroy();
  }

  /** Connections with an answer that their clients have not taken. */
  get unread(): number {
    return [...this.#speaking].filter(({ writableLength }) => writableLength > 0).length;
  }
}

function keep(sockets: Set<Socket>, socket: Socket): void {
  sockets.add(socket);
  socket.once('close', () => sockets.delete(socket));
}
