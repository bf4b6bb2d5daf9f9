import { once } from 'node:events';
import type { Clock } from '@tappaas/sdk';
import type { WebSocket } from 'ws';
import { SharedDrain, type StreamLimits } from '../watch/slow-reader.js';
import { StreamEnd, type StreamEndReason } from '../watch/stream-pace.js';

/** Close codes of WebSockets (RFC 6455, 7.4.1). */
export const closeCodes = { normal: 1000, goingAway: 1001, policy: 1008, internal: 1011, tryAgainLater: 1013 } as const;

const codeOfEnd: Readonly<Record<StreamEndReason, number>> = {
  time: closeCodes.normal,
  credential: closeCodes.policy,
  access: closeCodes.policy,
  stop: closeCodes.goingAway,
};
const textOfEnd: Readonly<Record<StreamEndReason, string>> = {
  time: 'the time asked for is over',
  credential: 'the credential is no longer good',
  access: 'access has been taken away or has changed',
  stop: 'the platform stops; connect again',
};

/** Maximum time for the client to answer a close before it is cut off. */
const closeMsMax = 5000;

/** Closes a socket in order, and cuts off a client that does not answer. Resolves when the connection is gone. */
export async function closeSocket(socket: WebSocket, code: number, reason: string, clock: Clock): Promise<void> {
  if (socket.readyState === socket.CLOSED) return;
  const waiting = new AbortController();
  const gone = once(socket, 'close', { signal: waiting.signal }).catch(() => {});
  if (socket.readyState < socket.CLOSING) socket.close(code, reason);
  // A paused socket would never receive the answer.
  socket.resume();
  await Promise.race([gone, clock.sleep(closeMsMax, waiting.signal).catch(() => {})]);
  waiting.abort();
  socket.terminate();
}

/** Closes a socket with the code for the end of its exchange. */
export function closeFor(socket: WebSocket, reason: unknown, clock: Clock): Promise<void> {
  if (!(reason instanceof StreamEnd)) return closeSocket(socket, closeCodes.internal, '', clock);
  return closeSocket(socket, codeOfEnd[reason.reason], textOfEnd[reason.reason], clock);
}

const bufferedBytesMax = 256 * 1024;
/** Bounds the number as well, because the overhead of a small message exceeds its bytes. */
const bufferedMessagesMax = 1024;

/** Sends messages at the client's pace. Senders must wait for `drained` when there is no room, so that the buffer stays bounded. */
export class SocketPace {
  readonly #socket: WebSocket;
  readonly #drain: SharedDrain;
  #buffered = 0;
  readonly #sent = (): void => {
    this.#buffered -= 1;
    if (this.#hasRoom()) this.#drain.release();
  };

  constructor(socket: WebSocket, limits: StreamLimits) {
    this.#socket = socket;
    this.#drain = new SharedDrain(limits, () => socket.terminate());
    socket.once('close', () => this.#drain.release());
  }

  /** Sends one message; returns false when the client must catch up. */
  write(data: string | Uint8Array, binary = false): boolean {
    if (this.#socket.readyState !== this.#socket.OPEN) return true;
    this.#buffered += 1;
    this.#socket.send(data, { binary }, this.#sent);
    return this.#hasRoom();
  }

  /** Resolves when there is room or the socket is closed. @throws TAP_REQUEST_SLOW_READER for a client that does not read; it is cut off */
  async drained(): Promise<void> {
    if (!this.#hasRoom()) await this.#drain.wait();
  }

  #hasRoom(): boolean {
    const { readyState, OPEN, bufferedAmount } = this.#socket;
    return readyState !== OPEN || (bufferedAmount < bufferedBytesMax && this.#buffered < bufferedMessagesMax);
  }
}
