import type { Writable } from 'node:stream';
import { sendHead } from '../answer/answer.js';
import type { Exchange } from '../request/exchange.js';
import { watchMediaType } from '../request/media-type.js';
import type { StreamLimits } from './slow-reader.js';
import { drained } from './stream-pace.js';
import type { WatchFrame } from './watch-frames.js';

/** Destination of a watch's events: lines of an answer, or messages of a socket. */
export interface WatchOutlet {
  /** Confirms the watch to the client. */
  begin(): void | Promise<void>;
  readonly hasBegun: boolean;
  /** Returns false when the client must catch up first, see `drained`. */
  write(frames: readonly WatchFrame[]): boolean;
  /** Resolves when there is room again. @throws TAP_REQUEST_SLOW_READER */
  drained(): Promise<void>;
  end(): void;
}

/**
 * Writes the answer to a watch. Chunks are the same for all watchers, so they are encoded once and written straight to the connection
 * (docs/decisions/0151); Node writes the head and the end.
 */
export class AnswerOutlet implements WatchOutlet {
  readonly #exchange: Exchange;
  readonly #limits: StreamLimits;
  /** False for clients of HTTP/1.0, which has no chunked encoding. */
  readonly #isChunked: boolean;
  #filled: Writable;

  constructor(exchange: Exchange, limits: StreamLimits) {
    this.#exchange = exchange;
    this.#limits = limits;
    this.#isChunked = exchange.request.httpVersion === '1.1';
    this.#filled = exchange.response;
  }

  begin(): void {
    sendHead(this.#exchange, 200, watchMediaType(this.#exchange.header('accept')), this.#isChunked ? ['Transfer-Encoding', 'chunked'] : []);
    this.#exchange.response.flushHeaders();
  }

  get hasBegun(): boolean {
    return this.#exchange.response.headersSent;
  }

  write(frames: readonly WatchFrame[]): boolean {
    const { response } = this.#exchange;
    if (response.destroyed) return true;
    const { socket } = response;
    // Without a socket, the answer is queued behind others on its connection, and Node buffers it.
    if (!this.#isChunked || socket === null) {
      this.#filled = response;
      return frames.map(({ line }) => response.write(line)).every(Boolean);
    }
    this.#filled = socket;
    const [only] = frames;
    if (frames.length === 1 && only !== undefined) return socket.write(only.chunk);
    socket.cork();
    let hasRoom = true;
    for (const { chunk } of frames) hasRoom = socket.write(chunk);
    socket.uncork();
    return hasRoom;
  }

  drained(): Promise<void> {
    return drained(this.#exchange, this.#limits, this.#filled);
  }

  end(): void {
    this.#exchange.response.end();
  }
}
