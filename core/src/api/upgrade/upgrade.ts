/**
 * The only way to a WebSocket: an upgrade passes the same chain as a request, holds a stream's seat, and is refused with the same Status. A
 * `ServedUpgrade` answers it; it ends when the handler returns, the client disconnects, the credential expires or is revoked, or the
 * platform shuts down.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import type { TapError } from '@tappaas/sdk';
import type { WebSocket } from 'ws';
import { HttpResponse } from '../node-http.js';
import { noteStreamBegin } from '../audit-trail.js';
import { runChain, signIn, type Chain } from '../chain.js';
import { apiErrors } from '../errors.js';
import type { Exchange } from '../request/exchange.js';
import { noteFailure } from '../answer/failure.js';
import { unknownPath } from '../objects/object-router.js';
import { checkHandshake, moveBearerProtocol, offeredProtocols, originRefusal } from './upgrade-handshake.js';
import { LiveSockets } from './live-sockets.js';
import { closeCodes, closeFor, closeSocket } from './web-socket.js';
import { warningLines } from '../answer/warnings.js';

/** A handler for upgrades of some paths. */
export interface ServedUpgrade {
  /** Path, or a pattern for several, for documentation and for tests that cover everything. */
  readonly path: string;
  readonly match: (exchange: Exchange) => boolean;
  /** Verb for authorization instead of the method's, such as `create` for `pods/exec`. */
  readonly verb?: string;
  /** Supported subprotocols, preferred first; the client must offer one of them. Absent: none is required. */
  readonly protocols?: readonly string[];
  /** Whether a client without a credential is admitted, to present one by `signIn` within seconds. Default: false. */
  readonly signsInLater?: boolean;
  /** Maximum bytes of one message; larger ones close the connection with 1009. Default: 64 KiB. */
  readonly messageBytesMax?: number;
  /**
   * Runs after the chain has admitted the upgrade; the conversation ends when it resolves. Errors before it takes the connection are
   * answered as a Status.
   */
  readonly handle: (call: UpgradeCall) => Promise<void>;
}

/** An admitted upgrade; either `accept` or `takeOver` must be called, once. */
export interface UpgradeCall {
  readonly exchange: Exchange;
  /**
   * Completes the handshake. The socket is pinged automatically. When the exchange's signal aborts, it is closed with a code for the
   * reason; with `endsItself` only when the handler, which must observe the signal, returns.
   */
  accept(options?: { readonly endsItself: boolean }): Promise<WebSocket>;
  /** Hands the raw connection to a library that completes the handshake itself; it is destroyed at the end if still open. */
  takeOver(): BareUpgrade;
  /** Authenticates a client that came without a credential, with the same stages and audit. @throws any error that a request would get */
  signIn(token: string): Promise<void>;
}

/** The arguments of node:http's upgrade event: the request, its connection, and the data after the head. */
export interface BareUpgrade {
  readonly request: IncomingMessage;
  readonly socket: Duplex;
  readonly head: Buffer;
}

const messageBytesMaxDefault = 64 * 1024;
const signInMsMax = 10_000;
const reasonBytesMax = 123;

/** The open upgrades of a server. */
export class Upgrades {
  readonly #chain: Chain;
  readonly #handlers: () => readonly ServedUpgrade[];
  readonly #live: LiveSockets;
  readonly #sockets = new Set<Duplex>();
  readonly #stopped = new AbortController();

  constructor(chain: Chain, handlers: () => readonly ServedUpgrade[]) {
    this.#chain = chain;
    this.#handlers = handlers;
    this.#live = new LiveSockets(chain.clock);
  }

  /** Returns the paths of all handlers. */
  paths(): readonly string[] {
    return this.#handlers().map(({ path }) => path);
  }

  /** Pings open sockets until `stop`. */
  sweep(): Promise<void> {
    return this.#live.sweep(this.#stopped.signal);
  }

  /** Cuts off connections that are still open. */
  stop(): void {
    this.#stopped.abort();
    for (const socket of this.#sockets) socket.destroy();
  }

  /** Serves one upgrade to its end; never rejects. */
  async serve(exchange: Exchange, socket: Duplex, head: Buffer): Promise<void> {
    this.#sockets.add(socket);
    socket.once('close', () => void this.#sockets.delete(socket));
    let handler: ServedUpgrade | undefined;
    await runChain(
      {
        ...this.#chain,
        isOpen: () => false,
        isSelfAuthenticated: () => false,
        refusal: (each) => originRefusal(this.#chain.cors, each),
        signsInLater: ({ request }) => handler?.signsInLater === true && request.headers.authorization === undefined,
        isStream: () => true,
        prepare: (each) => {
          checkHandshake(each);
          moveBearerProtocol(each.request);
          handler = this.#handlers().find((found) => found.match(each));
          if (handler?.verb !== undefined) each.info = { ...each.info, verb: handler.verb };
        },
        answer: (each) => this.#converse(handler, each, socket, head),
      },
      exchange,
    );
  }

  async #converse(handler: ServedUpgrade | undefined, exchange: Exchange, socket: Duplex, head: Buffer): Promise<void> {
    if (handler === undefined) throw unknownPath(exchange);
    const protocol = chooseProtocol(handler, exchange);
    if (exchange.identity === undefined) exchange.deadlineMs = this.#chain.clock.nowMs() + signInMsMax;
    const call = new Conversation(this.#chain, this.#live, exchange, { request: exchange.request, socket, head }, protocol, handler);
    try {
      await handler.handle(call);
    } catch (error) {
      if (!call.isTaken) throw error;
      await call.end(noteFailure(this.#chain.log, exchange, error));
      return;
    }
    if (!call.isTaken) throw new Error('the upgrade was neither answered nor refused by its handler');
    if (exchange.identity === undefined && exchange.errorCode === undefined) noteFailure(this.#chain.log, exchange, withoutCredential());
    await call.end();
  }
}

function withoutCredential(): Error {
  return apiErrors.TAP_REQUEST_UNAUTHENTICATED({ message: 'the client has brought no credential in time' });
}

/**
 * Makes the response of an upgrade, for refusals. node:http has removed its timeouts and listeners from the connection, so it is closed in
 * both directions after the answer; otherwise a half-open connection would stay.
 *
 * Returns undefined, and cuts off the connection, if an earlier request on it is not answered yet: node:http emits the upgrade at once, and
 * a connection has only one response at a time.
 */
export function responseOf(request: IncomingMessage, socket: Duplex): ServerResponse | undefined {
  const response = new HttpResponse(request);
  response.shouldKeepAlive = false;
  // A broken connection also emits `close`; without this listener, its error would end the process.
  socket.on('error', () => socket.destroy());
  try {
    response.assignSocket(request.socket);
  } catch {
    socket.destroy();
    return undefined;
  }
  response.once('finish', () => request.socket.destroySoon());
  return response;
}

class Conversation implements UpgradeCall {
  readonly exchange: Exchange;
  readonly #chain: Chain;
  readonly #live: LiveSockets;
  readonly #bare: BareUpgrade;
  readonly #protocol: string | undefined;
  readonly #handler: ServedUpgrade;
  #socket: WebSocket | undefined;
  isTaken = false;

  constructor(
    chain: Chain,
    live: LiveSockets,
    exchange: Exchange,
    bare: BareUpgrade,
    protocol: string | undefined,
    handler: ServedUpgrade,
  ) {
    this.#chain = chain;
    this.#live = live;
    this.exchange = exchange;
    this.#bare = bare;
    this.#protocol = protocol;
    this.#handler = handler;
  }

  async accept({ endsItself } = { endsItself: false }): Promise<WebSocket> {
    const { WebSocketServer } = await import('ws');
    const { exchange } = this;
    const maxPayload = this.#handler.messageBytesMax ?? messageBytesMaxDefault;
    const handleProtocols = (): string | false => this.#protocol ?? false;
    const server = new WebSocketServer({ noServer: true, clientTracking: false, perMessageDeflate: false, maxPayload, handleProtocols });
    server.on('headers', (headers) => void headers.push(`X-Request-Id: ${exchange.requestId}`, ...warningLines(exchange)));
    const { request, socket, head } = this.#bare;
    const accepted = await new Promise<WebSocket>((resolve, reject) => {
      server.once('wsClientError', (error) => reject(apiErrors.TAP_REQUEST_HEADER_INVALID({ message: error.message })));
      server.handleUpgrade(request, socket, head, resolve);
    });
    this.#take();
    this.#socket = accepted;
    this.#live.add(accepted, request.socket);
    // For oversized or invalid frames the library closes with the proper code; handlers listen to the close.
    accepted.on('error', () => {});
    const end = (): void => void closeFor(accepted, exchange.signal.reason, this.#chain.clock);
    if (!endsItself && exchange.signal.aborted) end();
    else if (!endsItself) exchange.signal.addEventListener('abort', end, { once: true });
    // Paused until the handler, which continues in this turn, has attached its listeners.
    accepted.pause();
    setImmediate(() => accepted.resume());
    return accepted;
  }

  takeOver(): BareUpgrade {
    this.#take();
    return this.#bare;
  }

  async signIn(token: string): Promise<void> {
    const { exchange } = this;
    if (exchange.identity !== undefined) throw new Error('the client has been authenticated already');
    exchange.request.headers.authorization = `Bearer ${token}`;
    await signIn(this.#chain, exchange);
  }

  /** Ends what is still open; the code of a failure becomes the reason of the close. */
  async end(failure?: TapError): Promise<void> {
    const { clock } = this.#chain;
    const { signal } = this.exchange;
    if (this.#socket === undefined) this.#bare.socket.destroy();
    else if (signal.aborted) await closeFor(this.#socket, signal.reason, clock);
    else if (failure === undefined) await closeSocket(this.#socket, closeCodes.normal, '', clock);
    else await closeSocket(this.#socket, closeCodeOf(failure), failure.code.slice(0, reasonBytesMax), clock);
  }

  #take(): void {
    if (this.isTaken) throw new Error('the upgrade has been answered already');
    this.isTaken = true;
    const { response, request } = this.exchange;
    response.detachSocket(request.socket);
    this.exchange.upgradeStatus = 101;
    noteStreamBegin(this.exchange, 101);
  }
}

function closeCodeOf({ spec }: TapError): number {
  if (spec.httpStatus === 429 || spec.httpStatus === 503) return closeCodes.tryAgainLater;
  return spec.httpStatus < 500 ? closeCodes.policy : closeCodes.internal;
}

/** @throws TAP_REQUEST_HEADER_INVALID when the client offers no protocol that the handler supports */
function chooseProtocol({ protocols }: ServedUpgrade, { request }: Exchange): string | undefined {
  if (protocols === undefined) return undefined;
  const offered = offeredProtocols(request);
  const chosen = protocols.find((each) => offered.includes(each));
  if (chosen !== undefined) return chosen;
  throw apiErrors.TAP_REQUEST_HEADER_INVALID({
    message: `header sec-websocket-protocol offers nothing that is spoken here; expected one of ${protocols.join(', ')}`,
  });
}
