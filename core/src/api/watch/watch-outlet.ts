import type { Writable } from 'node:stream';
import { sendHead } from '../answer/answer.js';
import type { Exchange } from '../request/exchange.js';
import type { StreamLimits } from './slow-reader.js';
import { drained } from './stream-pace.js';
import type { WatchFrame } from './watch-frames.js';

/** Where the events of a watch go: lines of an answer, or messages of a socket. */
export interface WatchOutlet {
  /** Tells the client that the watch stands. */
  begin(): void | Promise<void>;
  readonly hasBegun: boolean;
  /** False when the client has to catch up first, see `drained`. */
  write(frames: readonly WatchFrame[]): boolean;
  /** Resolves when there is room again; throws when the client does not read. */
  drained(): Promise<void>;
  end(): void;
}

/**
 * The answer to a watch. A chunk is the same for all who watch, so it is made once and goes to the connection as it is (docs/decisions/0151);
 * head and end are node's.
 */
export class AnswerOutlet implements WatchOutlet {
  readonly #exchange: Exchange;
  readonly #limits: StreamLimits;
  /** Clients of HTTP/1.0 know no chunks. */
  readonly #isChunked: boolean;
  #filled: Writable;

  constructor(exchange: Exchange, limits: StreamLimits) {
    this.#exchange = exchange;
    this.#limits = limits;
    this.#isChunked = exchange.request.httpVersion === '1.1';
    this.#filled = exchange.response;
  }

  begin(): void {
    sendHead(this.#exchange, 200, 'application/json', this.#isChunked ? ['Transfer-Encoding', 'chunked'] : []);
    this.#exchange.response.flushHeaders();
  }

  get hasBegun(): boolean {
    return this.#exchange.response.headersSent;
  }

  write(frames: readonly WatchFrame[]): boolean {
    const { response } = this.#exchange;
    if (response.destroyed) return true;
    const { socket } = response;
    // An answer whose turn on its connection has not come yet is kept by node.
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
