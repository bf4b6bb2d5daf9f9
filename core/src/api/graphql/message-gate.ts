import type { WebSocket } from 'ws';

/** Maximum messages of one connection that are being processed, or whose answers wait for the client to read. */
export const messagesAtOnceMax = 100;

/** Stops reading from the socket at messagesAtOnceMax messages in progress: a client that sends faster than it reads only blocks itself. */
export class MessageGate {
  readonly #socket: Pick<WebSocket, 'pause' | 'resume'>;
  #count = 0;

  constructor(socket: Pick<WebSocket, 'pause' | 'resume'>) {
    this.#socket = socket;
  }

  /** Counts one message or answer as in progress until the promise settles. */
  async through<T>(settling: Promise<T>): Promise<T> {
    this.#count += 1;
    if (this.#count === messagesAtOnceMax) this.#socket.pause();
    try {
      return await settling;
    } finally {
      if (this.#count === messagesAtOnceMax) this.#socket.resume();
      this.#count -= 1;
    }
  }
}
