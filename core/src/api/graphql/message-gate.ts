import type { WebSocket } from 'ws';

/** Messages of one connection that are looked at at the same time. */
export const messagesAtOnceMax = 100;

/** Reads no further while many messages are being looked at: who sends faster than they are answered waits on their own connection. */
export class MessageGate {
  readonly #socket: Pick<WebSocket, 'pause' | 'resume'>;
  #count = 0;

  constructor(socket: Pick<WebSocket, 'pause' | 'resume'>) {
    this.#socket = socket;
  }

  /** What becomes of one message; it is no longer looked at once this is settled. */
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
