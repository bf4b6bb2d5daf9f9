import type { Server, ServerResponse } from 'node:http';
import { Server as NetServer, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Clock } from '@tappaas/sdk';

/** A connection is idle when nothing has been received for this time, milliseconds. */
const quietMs = 50;
/** Maximum number of event loop turns to wait for one without a new connection. */
const turnsMax = 1_000;

/**
 * Closes the connections of a server gracefully. Node's own `close` cuts idle connections, and with them requests that arrive at that
 * moment: docs/decisions/0140.
 */
export class Drainable {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #answers = new Set<ServerResponse>();
  readonly #tunnels = new Set<Duplex>();
  #isDraining = false;
  #taken = 0;

  constructor(server: Server) {
    this.#server = server;
    server.on('connection', (socket) => {
      this.#taken += 1;
      keep(this.#sockets, socket);
    });
    server.on('upgrade', (_request, socket) => keep(this.#tunnels, socket));
    server.on('request', (_request, response) => {
      keep(this.#answers, response);
      if (this.#isDraining) response.shouldKeepAlive = false;
    });
  }

  /** Stops accepting connections, closes each once it is idle, and cuts the remaining ones after the time limit. */
  async drain(atMostMs: number, clock: Clock): Promise<void> {
    const server = this.#server;
    if (!server.listening) return;
    this.#isDraining = true;
    for (const response of this.#answers) response.shouldKeepAlive = false;
    await this.#takeThoseBefore();
    const closed = new Promise<void>((resolve) => void NetServer.prototype.close.call(server, () => resolve()));
    const endMs = clock.nowMs() + atMostMs;
    const over = new AbortController();
    void closed.then(() => over.abort());
    let lastData = new Map<Socket, number>();
    while (clock.nowMs() < endMs && !over.signal.aborted) {
      this.#endSilent(lastData);
      lastData = new Map([...this.#sockets].map((socket) => [socket, socket.bytesRead]));
      await clock.sleep(quietMs, over.signal).catch(() => undefined);
    }
    for (const socket of this.#sockets) socket.destroy();
    await closed;
    // Ends the server's own timers; it has stopped listening already.
    server.close();
  }

  /**
   * Accepts pending connections: those that the system has accepted but Node has not would be cut when the listener closes. A turn of the
   * event loop without a new connection is short, so another one can hardly arrive between that turn and the closing.
   */
  async #takeThoseBefore(): Promise<void> {
    for (let turns = 0; turns < turnsMax; turns += 1) {
      const before = this.#taken;
      await new Promise((resolve) => setImmediate(resolve));
      if (this.#taken === before && turns > 0) return;
    }
  }

  #endSilent(lastData: ReadonlyMap<Socket, number>): void {
    const served = new Set<Duplex>([...this.#tunnels, ...[...this.#answers].map(({ req }) => req.socket)]);
    for (const socket of this.#sockets) {
      if (served.has(socket) || lastData.get(socket) !== socket.bytesRead || socket.writableLength > 0) continue;
      socket.destroySoon();
    }
  }
}

function keep<T extends Duplex | ServerResponse>(all: Set<T>, one: T): void {
  all.add(one);
  one.once('close', () => all.delete(one));
}
