import type { WebSocket } from 'ws';

/** Messages of one connection that are being looked at, or whose answers wait until the client reads, at the same time. */
export const messagesAtOnceMax = 100;

/** Stops reading while that many messages are under way: a client that sends faster than it is answered, or than it reads, waits on its own connection. */
export class MessageGate {
  readonly #socket: Pick<WebSocket, 'pause' | 'resume'>;
  #count = 0;

  constructor(socket: Pick<WebSocket, 'pause' | 'resume'>) {
    this.#socket = socket;
  }

  /** What becomes of one message or answer, which is under way until this is settled. */
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
