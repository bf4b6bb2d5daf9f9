import { type Awaitable, isTapError, platformEngine, type TapError } from '@tappaas/sdk';
import { createSourceEventStream, GraphQLError, type ExecutionArgs } from 'graphql';
import { GRAPHQL_TRANSPORT_WS_PROTOCOL, makeServer, type SubscribePayload } from 'graphql-ws';
import type { WebSocket } from 'ws';
import { Annotations } from '../request/annotations.js';
import type { Exchange } from '../request/exchange.js';
import { StreamEnd } from '../watch/stream-pace.js';
import type { UpgradeCall } from '../upgrade/upgrade.js';
import { closeCodes as standardCodes, SocketPace } from '../upgrade/web-socket.js';
import { GraphqlContext } from './context.js';
import { PlannedOperation } from './document.js';
import { graphqlErrors } from './errors.js';
import { EventTexts, type EventText } from './event-texts.js';
import { LiveOperation } from './live-operation.js';
import type { LiveEvent } from './live-events.js';
import { MessageGate } from './message-gate.js';
import { noteOperation } from './operation-notes.js';
import type { GraphqlParts } from './ports.js';
import { RecordedAccess } from './recorded-access.js';
import { recordRefusal } from './recorded-refusal.js';
import type { ServedSchema } from './schema-cache.js';
import { plannedSubscription, refused } from './subscription-document.js';
import { documentHash, documentText, type RequestedDocument } from './trusted-documents.js';
import { asGraphqlError, wireError, type ErrorPlace } from './wire-errors.js';

export { GRAPHQL_TRANSPORT_WS_PROTOCOL as protocol };

const subscriptionsMax = 100;
const drainMsMax = 30_000;
/** Long enough for a busy client or machine; unauthenticated connections have less time (signInMsMax of upgrades). */
const beginMsMax = 30_000;
const objectsKnownMax = 10_000;
const idCharactersMax = 128;
/** Close codes of the graphql-transport-ws protocol. */
const closeCodes = { badRequest: 4400, forbidden: 4403, internal: 4500 } as const;

/** Serves sockets that speak graphql-transport-ws. */
export class GraphqlSockets {
  readonly #parts: GraphqlParts;
  readonly #schema: () => ServedSchema | Promise<ServedSchema>;
  readonly #texts: ReadonlySet<string>;
  readonly #events: EventTexts;

  constructor(parts: GraphqlParts, schema: () => ServedSchema | Promise<ServedSchema>) {
    this.#parts = parts;
    this.#schema = schema;
    this.#events = new EventTexts(parts.clock);
    this.#texts = new Set(parts.settings.documents?.values());
  }

  /** Serves one socket until it closes. */
  async serve(call: UpgradeCall): Promise<void> {
    const { exchange } = call;
    const socket = await call.accept();
    const pace = new SocketPace(socket, { clock: this.#parts.clock, drainMsMax });
    const gate = new MessageGate(socket);
    // Backpressure for all answers: while the client does not read them, its messages are not read either.
    const send = async (text: string): Promise<void> => {
      if (!pace.write(text)) await gate.through(pace.drained());
    };
    const place: ErrorPlace = { requestId: exchange.requestId, log: this.#parts.log, signal: () => exchange.signal };
    const running = new Map<string, AbortController>();
    const server = makeServer<Record<string, unknown>, undefined>({
      connectionInitWaitTimeout: beginMsMax,
      onConnect: async ({ connectionParams }) => (exchange.identity === undefined ? signedIn(call, connectionParams) : true),
      onSubscribe: (_, id, payload) => gate.through(this.#subscribe(exchange, id, payload, running, send)),
      subscribe: (args) => (args as LiveArguments).events,
      onError: (_, __, ___, errors) => errors.map((error) => wireError(error, place)),
      onComplete: (_, id) => {
        running.get(id)?.abort(new StreamEnd('time'));
        running.delete(id);
      },
    });
    await converse(socket, server.opened.bind(server), send, () => {
      for (const each of running.values()) each.abort(new StreamEnd('time'));
    });
  }

  async #subscribe(
    exchange: Exchange,
    id: string,
    payload: SubscribePayload,
    running: Map<string, AbortController>,
    send: (text: string) => Promise<void>,
  ): Promise<LiveArguments | readonly GraphQLError[]> {
    const over = new AbortController();
    const beganAtMs = this.#parts.clock.nowMs();
    const annotations = new Annotations();
    const refuse = async (errors: readonly GraphQLError[]): Promise<readonly GraphQLError[]> => {
      const hasLeft = over.signal.aborted || exchange.signal.aborted;
      if (running.get(id) === over) running.delete(id);
      over.abort(new StreamEnd('time'));
      const [error] = errors;
      if (error !== undefined && !hasLeft) await recordRefusal(this.#parts, exchange, { beganAtMs, annotations, error });
      return errors;
    };
    try {
      if (running.size >= subscriptionsMax) {
        const message = `the connection has ${running.size} subscriptions, and may have ${subscriptionsMax}`;
        throw graphqlErrors.TAP_GRAPHQL_TOO_MANY_SUBSCRIPTIONS({ message });
      }
      if (id.length > idCharactersMax) throw refused(`the id of a subscription has at most ${idCharactersMax} characters`);
      // Registered before the first await, so that subscriptions in the same instant count toward the limit.
      running.set(id, over);
      await this.#takeSeat(exchange, over.signal);
      const access = new RecordedAccess(this.#parts, exchange, annotations);
      const begun = await this.#begin(exchange, id, payload, { access, over, send });
      return 'document' in begun ? begun : await refuse(begun);
    } catch (error) {
      return refuse([isTapError(error) ? asGraphqlError(error) : new GraphQLError('', { originalError: error as Error })]);
    }
  }

  /** Takes a stream seat until the subscription ends. @throws TAP_FLOW_FULL */
  async #takeSeat({ caller }: Exchange, over: AbortSignal): Promise<void> {
    const seat = await this.#parts.flow({ caller, engine: platformEngine, verb: 'watch', stream: true, signal: over });
    if (over.aborted) seat.release();
    else over.addEventListener('abort', () => seat.release(), { once: true });
  }

  async #begin(
    exchange: Exchange,
    id: string,
    { query, operationName, variables, extensions, ...rest }: SubscribePayload & Pick<RequestedDocument, 'documentId'>,
    { access, over, send }: Beginning,
  ): Promise<LiveArguments | readonly GraphQLError[]> {
    const { schema } = await this.#schema();
    const { documents, introspection } = this.#parts.settings;
    const text = documentText({ query, extensions, ...rest }, documents, this.#texts);
    if (typeof text !== 'string') throw refused('expected a document in query');
    const plan = plannedSubscription(schema, text, operationName ?? undefined, introspection);
    if (!(plan instanceof PlannedOperation)) return plan;
    const { document } = plan;
    noteOperation(access.annotations, plan.operation, documentHash(text));
    const context = this.#context(exchange, access, id, AbortSignal.any([exchange.signal, over.signal]));
    context.cost = plan.check(variables ?? undefined);
    const args = { schema, document, operationName: operationName ?? null, variableValues: variables ?? null, contextValue: context };
    const source = await createSourceEventStream(args);
    if (!(Symbol.asyncIterator in source)) return source.errors ?? [];
    const live = new LiveOperation(schema, plan, { variables: variables ?? undefined, scope: scopeOf(context), texts: this.#events });
    const events = sendAll(source as AsyncIterable<LiveEvent>, {
      textFor: (event) => live.textFor(event, () => this.#context(exchange, access, id, over.signal)),
      send: (text) => send(`{"id":${JSON.stringify(id)},"type":"next","payload":${text}}`),
      over,
    });
    return { ...args, events };
  }

  #context(exchange: Exchange, access: RecordedAccess, id: string, signal: AbortSignal): GraphqlContext {
    const { caller, requestId, deadlineMs, parts } = exchange;
    return new GraphqlContext(this.#parts, { caller, requestId: `${requestId}/${id}`, signal, deadlineMs, parts }, access, 'graphql');
  }
}

/** What beginning a subscription needs. */
interface Beginning {
  readonly access: RecordedAccess;
  readonly over: AbortController;
  readonly send: (text: string) => Promise<void>;
}

/** Arguments that graphql-ws passes from `onSubscribe` to `subscribe`. */
interface LiveArguments extends ExecutionArgs {
  readonly events: AsyncGenerator<never, void, void>;
}

interface EventSender {
  readonly textFor: (event: LiveEvent) => Awaitable<EventText>;
  readonly send: (text: string) => Promise<void>;
  readonly over: AbortController;
}

/**
 * Sends each event itself, because subscribers share its text; graphql-ws, which manages the protocol, only sees a stream that ends. A
 * client that reads slowly blocks its own watch, which fails with a hint to restart when too many events are pending.
 */
function sendAll(source: AsyncIterable<LiveEvent>, sender: EventSender): AsyncGenerator<never, void, void> {
  const done: IteratorReturnResult<void> = { done: true, value: undefined };
  // Ending is signaled by abort, because the source may be waiting for its next event.
  const end = async (): Promise<typeof done> => {
    sender.over.abort(new StreamEnd('time'));
    return done;
  };
  let all: Promise<void> | undefined;
  return {
    next: async () => {
      await (all ??= sendEach(source, sender));
      return done;
    },
    return: end,
    throw: end,
    [Symbol.asyncIterator]() {
      return this;
    },
    [Symbol.asyncDispose]: async () => void (await end()),
  };
}

async function sendEach(source: AsyncIterable<LiveEvent>, { textFor, send, over }: EventSender): Promise<void> {
  const lastDigests = new Map<string, string>();
  try {
    for await (const event of source) {
      const { text, digest } = await textFor(event);
      const { changed } = event;
      if (changed === undefined || isNews(lastDigests, changed, digest)) await send(text);
    }
  } finally {
    over.abort(new StreamEnd('time'));
  }
}

/** Whether an object differs from what was last sent. Digests are cleared at objectsKnownMax; such objects may be sent again. */
function isNews(lastDigests: Map<string, string>, { uid, isNew, isGone }: NonNullable<LiveEvent['changed']>, digest: string): boolean {
  const known = lastDigests.get(uid);
  if (isGone) lastDigests.delete(uid);
  else {
    if (lastDigests.size >= objectsKnownMax && known === undefined) lastDigests.clear();
    lastDigests.set(uid, digest);
  }
  return isNew || isGone || known !== digest;
}

async function signedIn(call: UpgradeCall, parameters: Readonly<Record<string, unknown>> | undefined): Promise<boolean> {
  const given = parameters?.['authorization'] ?? parameters?.['Authorization'];
  const token = typeof given === 'string' ? /^Bearer (\S+)$/.exec(given)?.[1] : undefined;
  if (token === undefined) return false;
  try {
    await call.signIn(token);
    return true;
  } catch (error) {
    if (isTapError(error) && !isPassing(error)) return false;
    throw error;
  }
}

/** Whether authentication failed for lack of capacity or during shutdown, so that the same token may succeed later. */
function isPassing({ spec }: TapError): boolean {
  return spec.httpStatus === 429 || spec.httpStatus === 503;
}

function closeOf(error: unknown): readonly [code: number, reason: string] {
  if (!isTapError(error)) return [closeCodes.internal, ''];
  return isPassing(error) ? [standardCodes.tryAgainLater, error.code] : [closeCodes.forbidden, ''];
}

type Opened = ReturnType<typeof makeServer<Record<string, unknown>, undefined>>['opened'];

/** Connects a socket to graphql-ws; resolves when the socket is closed. */
function converse(socket: WebSocket, opened: Opened, send: (text: string) => Promise<void>, closed: () => void): Promise<void> {
  return new Promise((resolve, reject) => {
    const leave = opened(
      {
        protocol: socket.protocol,
        send,
        close: (code, reason) => socket.close(code, reason?.slice(0, 100)),
        onMessage: (hear) => {
          socket.on('message', (data, isBinary) => {
            if (isBinary) socket.close(closeCodes.badRequest, 'expected text');
            else hear((data as Buffer).toString()).catch((error: unknown) => socket.close(...closeOf(error)));
          });
        },
      },
      undefined,
    );
    socket.once('close', (code, reason) => {
      closed();
      leave(code, reason.toString()).then(resolve, reject);
    });
  });
}

/** Returns everything about the caller that may change a result. */
function scopeOf({ caller }: GraphqlContext): string {
  const { name, groups, tenant, scope, address, impersonator } = caller;
  return JSON.stringify([name, groups, tenant, scope, address, impersonator]);
}
