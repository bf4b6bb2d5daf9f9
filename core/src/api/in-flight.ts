import type { Socket } from 'node:net';
import type { Clock } from '@tappaas/sdk';
import { apiErrors } from './errors.js';
import type { Exchange } from './request/exchange.js';
import { sendFailure } from './answer/failure.js';
import type { StreamCredentials } from './watch/stream-credentials.js';
import { endOfStream } from './watch/stream-pace.js';
import { sweepEvery } from './sweep.js';

const sweepEveryMs = 1000;

/** The requests being served. One periodic sweep enforces deadlines: a timer per request would cost more than most requests take. */
export class InFlight {
  readonly #exchanges = new Set<Exchange>();
  readonly #ofConnection = new Map<Socket, Set<Exchange>>();
  readonly #clock: Clock;
  readonly #stopped = new AbortController();
  readonly #credentials: StreamCredentials;
  #onIdle: (() => void) | undefined;

  constructor(clock: Clock, credentials: StreamCredentials) {
    this.#clock = clock;
    this.#credentials = credentials;
  }

  get size(): number {
    return this.#exchanges.size;
  }

  add(exchange: Exchange): void {
    this.#exchanges.add(exchange);
    const { socket } = exchange.request;
    const known = this.#ofConnection.get(socket);
    if (known === undefined) this.#ofConnection.set(socket, new Set([exchange]));
    else known.add(exchange);
  }

  delete(exchange: Exchange): void {
    this.#exchanges.delete(exchange);
    const { socket } = exchange.request;
    const known = this.#ofConnection.get(socket);
    known?.delete(exchange);
    if (known?.size === 0) this.#ofConnection.delete(socket);
    if (this.#exchanges.size === 0) this.#onIdle?.();
  }

  /** Enforces deadlines and checks credentials of streams until `stop`. */
  sweep(): Promise<void> {
    let sweptMs = -Infinity;
    const begin = (): ((exchange: Exchange) => void) => {
      const nowMs = this.#clock.nowMs();
      if (nowMs < sweptMs) this.#bringForward(sweptMs - nowMs, nowMs);
      sweptMs = nowMs;
      return (exchange) => {
        if (exchange.deadlineMs <= nowMs) expire(exchange);
        else void this.#credentials.check(exchange);
      };
    };
    return sweepEvery(this.#exchanges, begin, { clock: this.#clock, everyMs: sweepEveryMs, signal: this.#stopped.signal });
  }

  stop(): void {
    this.#stopped.abort();
  }

  /** Ends all streams in order, at shutdown; with a credential id only its streams, because it was revoked. */
  endStreams(credentialId?: string): void {
    for (const exchange of this.#exchanges) {
      const isMeant = credentialId === undefined || exchange.identity?.credentialId === credentialId;
      if (exchange.isStream && isMeant) exchange.abort(endOfStream(credentialId === undefined ? 'stop' : 'credential'));
    }
  }

  /** Aborts the requests of a connection that its client has closed. */
  abandon(socket: Socket): void {
    for (const exchange of this.#ofConnection.get(socket) ?? []) {
      exchange.abort(apiErrors.TAP_REQUEST_ABORTED({ message: 'the client has gone away' }));
    }
  }

  /** Returns the connections with requests in progress. */
  connections(): ReadonlySet<Socket> {
    return new Set(this.#ofConnection.keys());
  }

  /** Describes up to `max` requests in progress, for the log. */
  describe(max: number): readonly string[] {
    return [...this.#exchanges].slice(0, max).map(({ request, path }) => `${request.method ?? ''} ${path.path}`);
  }

  /**
   * After the clock was set back, moves the deadlines of earlier requests back by as much. Streams keep theirs: they end when credentials
   * expire, which are absolute times.
   */
  #bringForward(setBackMs: number, nowMs: number): void {
    for (const exchange of this.#exchanges) {
      if (exchange.receivedAtMs > nowMs && !exchange.isStream) exchange.deadlineMs -= setBackMs;
    }
  }

  /** Resolves when no request is in progress. */
  idle(): Promise<void> {
    if (this.#exchanges.size === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.#onIdle = resolve;
    });
  }
}

/** Answers in place of a handler that ignores its signal; a later answer of the handler has no effect. */
function expire(exchange: Exchange): void {
  exchange.deadlineMs = Infinity;
  if (exchange.isStream) {
    exchange.abort(endOfStream('credential'));
    return;
  }
  const error = apiErrors.TAP_REQUEST_DEADLINE({ message: 'the request was not finished within its deadline' });
  exchange.errorCode = error.code;
  exchange.abort(error);
  sendFailure(exchange, error);
}
