import type { Devices } from './back-off.js';
import { ApiError, GraphQlError, UnreachableError, type GraphQlProblem } from './errors.js';
import { refusedSocket } from './refused-connection.js';
import { tokenInTime, type GiveToken } from './token.js';
import type { ClientSocket, Transport } from './transport.js';

export interface SubscriptionParts {
  readonly transport: Transport;
  /** `ws:` or `wss:`. */
  readonly url: URL;
  readonly token: GiveToken;
  readonly devices: Devices;
}

/** One event of a subscription, as the platform sends it. */
export interface SubscriptionAnswer {
  readonly data?: unknown;
  readonly errors?: readonly GraphQlProblem[];
}

/** A message of the protocol graphql-transport-ws. @source https://github.com/enisdenjo/graphql-ws/blob/master/PROTOCOL.md */
interface Message {
  readonly type: string;
  readonly payload?: unknown;
}

const protocol = 'graphql-transport-ws';
const connectingMsMax = 30_000;
/** Interval of pings, which the platform answers; after three without any message the connection counts as lost. */
const pingEveryMs = 20_000;
const silencesMax = 3;
const waitingMax = 1000;
const forbidden = 4403;

/**
 * Runs one subscription on a connection of its own, until the platform ends it. `alive` is called whenever the platform answers a ping.
 *
 * @throws GraphQlError, ApiError, UnreachableError
 */
export async function* converse(
  parts: SubscriptionParts,
  payload: object,
  signal: AbortSignal,
  alive: () => void,
): AsyncGenerator<SubscriptionAnswer> {
  if (signal.aborted) return;
  const authorization = `Bearer ${await tokenInTime(parts.token, parts.url.host, parts.devices, signal)}`;
  const socket = await parts.transport.openSocket(parts.url, protocol);
  const conversation = new Conversation(socket, parts.url.host, { authorization }, payload, alive);
  const over = new AbortController();
  const end = (): void => conversation.end();
  if (signal.aborted) end();
  signal.addEventListener('abort', end, { once: true });
  void conversation.watchOver(parts.devices, over.signal);
  try {
    yield* conversation.answers();
  } finally {
    signal.removeEventListener('abort', end);
    over.abort();
    conversation.end();
  }
}

/** The part of the protocol that one subscription needs, and the queue of unread events. */
class Conversation {
  readonly #socket: ClientSocket;
  readonly #server: string;
  readonly #begun = new AbortController();
  readonly #waiting: SubscriptionAnswer[] = [];
  readonly #alive: () => void;
  #wake: (() => void) | undefined;
  #failure: unknown;
  #isOver = false;
  #isSubscribed = false;
  #silences = 0;

  constructor(socket: ClientSocket, server: string, credentials: object, payload: object, alive: () => void) {
    this.#socket = socket;
    this.#server = server;
    this.#alive = alive;
    let cause: unknown;
    socket.addEventListener('open', () => this.#send({ type: 'connection_init', payload: credentials }));
    socket.addEventListener('message', ({ data }) => this.#receive(data, payload));
    socket.addEventListener('error', ({ error }) => (cause ??= error));
    socket.addEventListener('close', ({ code, reason }) => this.#end(this.#closed(code, reason, cause)));
  }

  end(): void {
    this.#end();
  }

  /** Ends the conversation when it does not begin in time, or falls silent. */
  async watchOver({ sleep }: Devices, over: AbortSignal): Promise<void> {
    try {
      await sleep(connectingMsMax, AbortSignal.any([over, this.#begun.signal]));
      this.#end(new UnreachableError('deadline', this.#server, `${this.#server} did not begin the subscription in time`));
    } catch {
      // The conversation has begun, or is over.
    }
    while (!over.aborted && !this.#isOver) {
      await sleep(pingEveryMs, over).catch(() => {});
      if (over.aborted) return;
      this.#silences += 1;
      if (this.#silences > silencesMax) this.#end(this.#brokenOff('nothing was heard for too long'));
      else this.#send({ type: 'ping' });
    }
  }

  /** Yields the received events before an error that followed them. */
  async *answers(): AsyncGenerator<SubscriptionAnswer> {
    for (;;) {
      const next = this.#waiting.shift();
      if (next !== undefined) yield next;
      else if (this.#failure !== undefined) throw this.#failure;
      else if (this.#isOver) return;
      else await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }

  #receive(data: unknown, subscription: object): void {
    if (this.#isOver) return;
    this.#silences = 0;
    const message = parsed(data);
    if (message === undefined) this.#end(this.#brokenOff('it sent a message that is none of the protocol'));
    else if (message.type === 'ping') this.#send({ type: 'pong' });
    else if (message.type === 'pong') this.#alive();
    else if (message.type === 'connection_ack' && !this.#isSubscribed) {
      this.#isSubscribed = true;
      this.#begun.abort();
      this.#send({ id: '1', type: 'subscribe', payload: subscription });
    } else if (message.type === 'next') this.#put(message.payload as SubscriptionAnswer);
    else if (message.type === 'error') this.#end(new GraphQlError(message.payload as readonly GraphQlProblem[], undefined));
    else if (message.type === 'complete') this.#end();
  }

  /** Drops events that arrive faster than they are consumed; they are requested again from the last consumed one. */
  #put(answer: SubscriptionAnswer): void {
    if (this.#waiting.length >= waitingMax) {
      this.#end(this.#brokenOff(`more than ${waitingMax} events waited to be taken`));
      return;
    }
    this.#waiting.push(answer);
    this.#wake?.();
  }

  #send(message: object): void {
    if (!this.#isOver) this.#socket.send(JSON.stringify(message));
  }

  #end(failure?: unknown): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#failure = failure;
    this.#socket.close(1000);
    this.#wake?.();
  }

  #closed(code: number, reason: string, cause: unknown): Error {
    if (code === forbidden) {
      const details = { code: 'TAP_REQUEST_UNAUTHENTICATED', remedy: 'Give a token that is good.' };
      return new ApiError(401, { message: `${this.#server} does not take the token`, reason: 'Unauthorized', details });
    }
    const refusal = refusedSocket(cause, this.#server);
    if (refusal !== undefined) return refusal;
    const why = cause instanceof Error ? cause.message : '';
    return this.#brokenOff(`closed with ${code}${reason || why ? `: ${reason || why}` : ''}`, cause);
  }

  #brokenOff(why: string, cause?: unknown): UnreachableError {
    return new UnreachableError('broken-off', this.#server, `the subscription of ${this.#server} broke off: ${why}`, cause);
  }
}

function parsed(data: unknown): Message | undefined {
  try {
    const message = JSON.parse(String(data)) as Partial<Message> | null;
    return typeof message?.type === 'string' ? (message as Message) : undefined;
  } catch {
    return undefined;
  }
}
