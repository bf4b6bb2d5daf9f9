import type { Server, ServerResponse } from 'node:http';
import { Server as NetServer, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Clock } from '@tappaas/sdk';

/** A connection on which nothing was read for so long is silent. */
const quietMs = 50;
/** Turns of the event loop that are waited for one that brings no connection. */
const turnsMax = 1_000;

/**
 * The connections of a server, to be ended one by one. Node's own `close` cuts those that are idle, and so requests that arrive at that
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

  /** Takes no new connection, ends each once it is silent and nothing of it is served, and cuts what is left after the time. */
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
    let heard = new Map<Socket, number>();
    while (clock.nowMs() < endMs && !over.signal.aborted) {
      this.#endSilent(heard);
      heard = new Map([...this.#sockets].map((socket) => [socket, socket.bytesRead]));
      await clock.sleep(quietMs, over.signal).catch(() => undefined);
    }
    for (const socket of this.#sockets) socket.destroy();
    await closed;
    // Ends the server's own checks; it listens no more.
    server.close();
  }

  /**
   * Takes whoever has connected before: what the system has accepted and nobody has taken is cut when the listener closes. A turn that brings
   * nobody is a short one, so between looking and closing there is hardly time for another.
   */
  async #takeThoseBefore(): Promise<void> {
    for (let turns = 0; turns < turnsMax; turns += 1) {
      const before = this.#taken;
      await new Promise((resolve) => setImmediate(resolve));
      if (this.#taken === before && turns > 0) return;
    }
  }

  #endSilent(heard: ReadonlyMap<Socket, number>): void {
    const served = new Set<Duplex>([...this.#tunnels, ...[...this.#answers].map(({ req }) => req.socket)]);
    for (const socket of this.#sockets) {
      if (served.has(socket) || heard.get(socket) !== socket.bytesRead || socket.writableLength > 0) continue;
      socket.destroySoon();
    }
  }
}

function keep<T extends Duplex | ServerResponse>(all: Set<T>, one: T): void {
  all.add(one);
  one.once('close', () => all.delete(one));
}
