import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Awaitable } from '@tappaas/sdk';
import { AddressSeats, crowdedNotice, ownPlaces } from './connection/address-seats.js';
import type { ApiServer, StopOptions } from './api-server.js';
import type { TlsMaterial } from './certificates/certificates.js';
import { asReview } from './authorization.js';
import { withAddress } from './connection/caller-address.js';
import { isStillAllowed } from './watch/stream-access.js';
import { runChain, type Chain } from './chain.js';
import { ConnectionMemory } from './connection/connection-memory.js';
import type { ReadyCheck } from './contributions.js';
import { Exchange } from './request/exchange.js';
import type { GraphqlParts } from './graphql/ports.js';
import { graphqlEndpoint, type GraphqlEndpoint } from './graphql-route.js';
import { InFlight } from './in-flight.js';
import { keepAliveHint, staysOpen } from './connection/keep-alive.js';
import { listen, type Listener } from './connection/listener.js';
import { answerObjects, answerRead, findCall, findRead, isHotRead, type Objects } from './objects/object-router.js';
import { createPreparedAnswers } from './answer/prepared-answers.js';
import { isSelfAuthenticated, noteRoute } from './plugin-routes.js';
import { createTargetReader } from './request/request-target.js';
import type { Router } from './router.js';
import { routerOf } from './api-router.js';
import { topics } from './socket/join-request.js';
import { createSockets, type Sockets } from './socket/socket-server.js';
import { defaultLimits, type ApiLimits, type ApiServerOptions } from './server-options.js';
import type { Authenticate } from './stages.js';
import { UnauthenticatedClients, unauthenticatedSeats } from './connection/unauthenticated-clients.js';
import { StreamCredentials } from './watch/stream-credentials.js';
import { isOpenPath } from './system-routes.js';
import { responseOf, Upgrades } from './upgrade/upgrade.js';
import { createWatchFrames } from './watch/watch-frames.js';
import { watchUpgrade } from './watch/watch-socket.js';
import { within } from './within.js';

/** Maximum requests named in the log when they delay a shutdown. */
const heldUpMax = 10;
const sameNamespace: GraphqlParts['clusterNamespace'] = async (_, name) => ({ name });
const noPlacements: GraphqlParts['placements'] = async (uids) => uids.map(() => undefined);

export function createApiServer(options: ApiServerOptions): ApiServer {
  return new Server(options);
}

class Server implements ApiServer {
  readonly #options: ApiServerOptions;
  readonly #limits: ApiLimits;
  readonly #chain: Chain;
  readonly #objects: Objects;
  readonly #router: Router;
  readonly #graphql: GraphqlEndpoint;
  readonly #inFlight: InFlight;
  readonly #sockets: Sockets;
  readonly #upgrades: Upgrades;
  readonly #unauthenticatedClients: UnauthenticatedClients;
  readonly #idPrefix: string;
  #listener: Listener | undefined;
  #tls: TlsMaterial | undefined;
  #clientAuthorities: string | undefined;
  readonly #keepAlive: string;
  #requests = 0;
  #isStopping = false;

  constructor(options: ApiServerOptions) {
    this.#options = options;
    this.#tls = options.tls;
    this.#limits = { ...defaultLimits, ...options.limits };
    this.#keepAlive = keepAliveHint(this.#limits.silentMsMax);
    this.#idPrefix = `${options.replica}-${options.clock.nowMs().toString(36)}-`;
    const { clock, deprecatedUse = () => {} } = options;
    const { drainMsMax } = this.#limits;
    const authenticate = withAddress(options.authenticate);
    this.#inFlight = new InFlight(
      clock,
      new StreamCredentials(authenticate, (exchange) => isStillAllowed(asReview(options.authorize), exchange), clock),
    );
    const ready = (): readonly ReadyCheck[] => [{ name: 'listener', check: () => !this.#isStopping }, ...options.ready()];
    this.#objects = objectsOf(options, deprecatedUse, drainMsMax);
    this.#graphql = graphqlEndpoint({
      placements: noPlacements,
      clusterNamespace: sameNamespace,
      ...options,
      ready,
      graphql: options.graphql ?? { introspection: false },
    });
    this.#router = routerOf(options, { objects: this.#objects, graphql: this.#graphql, ready, drainMsMax, address: () => this.#address() });
    this.#unauthenticatedClients = new UnauthenticatedClients(
      { ...unauthenticatedSeats, perMinuteMax: this.#limits.strangersPerMinuteMax },
      options.audit,
      clock,
    );
    this.#chain = this.#chainOf(options, authenticate);
    const adapter = options.socketAdapter === undefined ? {} : { adapter: options.socketAdapter };
    this.#sockets = createSockets({ ...options, deprecatedUse, drainMsMax, ...adapter });
    const own = [this.#graphql.upgrade, watchUpgrade(this.#objects), this.#sockets.upgrade];
    this.#upgrades = new Upgrades(this.#chain, () => [...own, ...(options.upgrades?.() ?? [])]);
  }

  async listen(): Promise<{ readonly url: string; readonly port: number }> {
    const { host, port, tls, tlsPolicy, contextFor, clock, log, addressPlaces } = this.#options;
    const serve = (request: IncomingMessage, response: ServerResponse, awaitsContinue: boolean): void =>
      this.#serve(request, response, awaitsContinue);
    const upgrade = (request: IncomingMessage, socket: Duplex, head: Buffer): void => void this.#serveUpgrade(request, socket, head);
    const { connectionsMax, connectionsPerAddressMax, headMsMax, bodyMsMax, silentMsMax } = this.#limits;
    const closed = (socket: Socket): void => this.#inFlight.abandon(socket);
    const failed = (error: Error): void => log.error('the listener of the API has a problem', { error });
    this.#listener = await listen({
      host,
      port,
      connectionsMax,
      addresses: new AddressSeats({
        placesOf: addressPlaces ?? (() => ownPlaces(connectionsPerAddressMax)),
        clock,
        crowded: crowdedNotice(connectionsPerAddressMax, clock, log),
      }),
      headMsMax,
      bodyMsMax,
      silentMsMax,
      serve,
      upgrade,
      closed,
      failed,
      ...(tls !== undefined && { tls, tlsPolicy, contextFor }),
    });
    void this.#inFlight.sweep();
    void this.#upgrades.sweep();
    return { url: this.#listener.url, port: this.#listener.port };
  }

  paths(): readonly string[] {
    return [
      ...this.#router.paths,
      ...this.#options.routes().map(({ method, instance, path }) => `${method} /plugins/${instance}${path}`),
      ...this.#upgrades.paths().map((path) => `UPGRADE ${path}`),
      ...topics.map((topic) => `ROOM ${topic}`),
    ];
  }

  endStreams(credentialId: string): void {
    this.#chain.connections.forget();
    this.#inFlight.endStreams(credentialId);
  }

  renew(tls: TlsMaterial): void {
    this.#tls = this.#clientAuthorities === undefined ? tls : { ...tls, clientAuthorities: this.#clientAuthorities };
    this.#listener?.renew(this.#tls);
  }

  trustClients(authorities: string): void {
    const tls = this.#tls;
    if (tls === undefined || authorities === this.#clientAuthorities) return;
    this.#listener?.renew({ ...tls, clientAuthorities: authorities });
    this.#clientAuthorities = authorities;
    this.#tls = { ...tls, clientAuthorities: authorities };
  }

  async close({ announceMs = 0, lingerMs = 0 }: StopOptions = {}): Promise<void> {
    const listener = this.#listener;
    const inFlight = this.#inFlight;
    if (listener === undefined || this.#isStopping) return;
    this.#isStopping = true;
    const { clock } = this.#options;
    if (announceMs > 0) await clock.sleep(announceMs, new AbortController().signal);
    await listener.connections.whenTaken();
    const closed = listener.close();
    inFlight.endStreams();
    await within(clock, lingerMs, closed);
    const over = new AbortController();
    const quiet = listener.connections.endQuiet(() => inFlight.connections(), clock, over.signal);
    const { stopMsMax } = this.#limits;
    await within(
      clock,
      stopMsMax,
      closed.then(() => inFlight.idle()),
    );
    over.abort();
    await quiet;
    this.#warnOfCuts(listener);
    inFlight.stop();
    this.#upgrades.stop();
    await within(clock, stopMsMax, this.#sockets.close());
    listener.closeAll();
    await closed;
    await within(clock, stopMsMax, this.#unauthenticatedClients.stop());
  }

  #warnOfCuts({ connections }: Listener): void {
    const { size: count } = this.#inFlight;
    if (count + connections.unread === 0) return;
    const requests = this.#inFlight.describe(heldUpMax);
    const { unread } = connections;
    this.#options.log.warn('requests that did not end, or answers that were not read, held up the stop and are cut off', {
      count,
      requests,
      unread,
    });
  }

  #chainOf(options: ApiServerOptions, authenticate: Authenticate): Chain {
    const { authorize, flow, tracing, audit, cors = { origins: [] }, clock, log } = options;
    return {
      unauthenticatedClients: this.#unauthenticatedClients,
      authenticate,
      authorize,
      flow,
      tracing,
      audit,
      cors,
      clock,
      log,
      readTarget: createTargetReader(),
      connections: new ConnectionMemory(clock),
      isOpen: isOpenPath,
      isSelfAuthenticated: (exchange) => isSelfAuthenticated(options.routes, exchange),
      prepare: (exchange) => noteRoute(options.routes, exchange),
      isStopping: () => this.#isStopping,
      refusal: () => undefined,
      signsInLater: () => false,
      isStream: ({ info }) => info.verb === 'watch',
      answer: (exchange) => this.#answer(exchange),
    };
  }

  #serve(request: IncomingMessage, response: ServerResponse, awaitsContinue: boolean): void {
    const exchange = this.#begin(request, response);
    exchange.awaitsContinue = awaitsContinue;
    if (this.#isStopping) exchange.extraHeaders.push('Connection', 'close');
    else if (staysOpen(request)) exchange.extraHeaders.push('Keep-Alive', this.#keepAlive);
    const served = runChain(this.#chain, exchange);
    // A request served synchronously can neither miss its deadline nor delay a shutdown.
    if (served instanceof Promise) void this.#whileInFlight(exchange, served);
  }

  async #whileInFlight(exchange: Exchange, served: Promise<void>): Promise<void> {
    this.#inFlight.add(exchange);
    try {
      await served;
    } finally {
      this.#inFlight.delete(exchange);
    }
  }

  async #serveUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    const response = responseOf(request, socket);
    if (response === undefined) return;
    const exchange = this.#begin(request, response);
    this.#inFlight.add(exchange);
    try {
      await this.#upgrades.serve(exchange, socket, head);
    } finally {
      this.#inFlight.delete(exchange);
    }
  }

  #begin(request: IncomingMessage, response: ServerResponse): Exchange {
    const nowMs = this.#options.clock.nowMs();
    this.#requests += 1;
    const requestId = this.#idPrefix + this.#requests.toString(36);
    return new Exchange(request, response, requestId, nowMs, nowMs + this.#limits.requestMsMax);
  }

  /** Answers reads and writes of whole objects and prepared GraphQL operations directly; Express routes the rest. */
  #answer(exchange: Exchange): Awaitable<void> {
    const { target, verb } = exchange.info;
    if (target === undefined) return this.#graphql.answer(exchange, () => this.#router.answer(exchange));
    if (target.subresource !== undefined || verb === 'watch') return this.#router.answer(exchange);
    if (isHotRead(exchange)) return answerRead(findRead(this.#objects, exchange, target));
    return answerObjects(this.#objects, findCall(this.#objects, exchange, target));
  }

  #address(): string {
    return this.#listener === undefined ? '' : `${this.#options.host}:${this.#listener.port}`;
  }
}

function objectsOf(
  { clock, random, engines, tableFor, authorize }: ApiServerOptions,
  deprecatedUse: Objects['deprecatedUse'],
  drainMsMax: number,
): Objects {
  return {
    engines,
    tableFor,
    authorize,
    prepared: createPreparedAnswers(),
    deprecatedUse,
    frames: createWatchFrames(),
    watchLimits: { clock, random, drainMsMax },
  };
}
