/**
 * The chain that every request passes, in this order:
 *
 * 1 request id · 2 panic recovery · 3 request info · 4 security headers (on every answer, see answer.ts) · 5 deadline · 6 CORS ·
 * 7 authentication · 8 tracing · 9 audit (records the outcome of everything below, and failed authentications) · 10 impersonation ·
 * 11 flow control · 12 authorization · then the answer: the engine does strict decoding, hooks, schema and store.
 */
import { isTapError, type Awaitable, type Clock, type Identity, type Logger } from '@tappaas/sdk';
import { after, afterWith, rescued, rescuedWith } from './after.js';
import { authorizeRequest } from './authorization.js';
import { beginAudit, endAudit, statusOf } from './audit-trail.js';
import type { ConnectionMemory } from './connection/connection-memory.js';
import { applyCors, type Cors } from './cors.js';
import { credentialsOf, refuseAmbiguousCredentials } from './request/credentials.js';
import { apiErrors } from './errors.js';
import type { Exchange } from './request/exchange.js';
import { noteFailure, recover } from './answer/failure.js';
import { impersonate } from './request/impersonation.js';
import type { RequestTarget } from './request/request-target.js';
import type { Audit, AuditTrail } from '../ports/audit.js';
import type { RequestTracing } from '../ports/tracing.js';
import { addressOf, seatUnauthenticatedClient, takeSeat } from './seats.js';
import type { AdmitFlow, Authenticate, Authorize } from './stages.js';
import type { UnauthenticatedClients } from './connection/unauthenticated-clients.js';
import { beginTrace, endTrace } from './request/trace.js';

export interface Chain {
  readonly authenticate: Authenticate;
  readonly authorize: Authorize;
  readonly flow: AdmitFlow;
  readonly tracing: RequestTracing | undefined;
  readonly audit: Audit;
  /** Limits unauthenticated clients. */
  readonly unauthenticatedClients: UnauthenticatedClients;
  readonly cors: Cors;
  readonly clock: Clock;
  readonly log: Logger;
  /** Reads the request line. @throws TAP_REQUEST_PATH_INVALID */
  readonly readTarget: (method: string, target: string) => RequestTarget;
  /** Remembers the last caller on each connection. */
  readonly connections: ConnectionMemory;
  /** Whether a path needs no credential: liveness, readiness and public keys. */
  readonly isOpen: (exchange: Exchange) => boolean;
  /** Whether the handler of a route authenticates the request itself, from its raw bytes. */
  readonly isSelfAuthenticated: (exchange: Exchange) => boolean;
  /** Further checks of a protocol, after path and headers were validated; throws to refuse. */
  readonly prepare: (exchange: Exchange) => void;
  /** Whether the platform is shutting down, so that no new stream may begin. */
  readonly isStopping: () => boolean;
  /** Returns why a request is refused for any caller, such as its origin; the refusal is audited. */
  readonly refusal: (exchange: Exchange) => Error | undefined;
  /** Whether the credential may arrive after the connection was opened, see `signIn`. */
  readonly signsInLater: (exchange: Exchange) => boolean;
  /** Whether the request holds its seat as a stream. */
  readonly isStream: (exchange: Exchange) => boolean;
  readonly answer: (exchange: Exchange) => Awaitable<void>;
}

/** Serves one request to its end; never rejects. If no stage waits, the request is served when this returns. */
export function runChain(chain: Chain, exchange: Exchange): Awaitable<void> {
  return rescuedWith(begin, recovered, chain, exchange);
}

function recovered(error: unknown, { log }: Chain, exchange: Exchange): void {
  recover(log, exchange, error);
}

function begin(chain: Chain, exchange: Exchange): Awaitable<void> {
  const { method = '', url = '' } = exchange.request;
  const target = chain.readTarget(method, url);
  exchange.path = target.path;
  exchange.info = target.info;
  const known = chain.connections.recall(exchange.request, exchange.receivedAtMs);
  if (known === undefined) refuseAmbiguousCredentials(exchange);
  chain.prepare(exchange);
  if (applyCors(chain.cors, exchange)) return;
  if (chain.isOpen(exchange)) return chain.answer(exchange);
  const refusal = chain.refusal(exchange) ?? (chain.isSelfAuthenticated(exchange) ? undefined : identify(chain, exchange, known));
  return afterWith(refusal, chain.tracing?.isListened === true ? trace : record, chain, exchange);
}

function trace(refused: unknown, chain: Chain, exchange: Exchange): Awaitable<void> {
  const { identity } = exchange;
  const span = identity === undefined ? undefined : beginTrace(chain.tracing, exchange);
  if (span === undefined) return record(refused, chain, exchange);
  return afterWith(
    span.run(() =>
      rescued(
        () => record(refused, chain, exchange),
        (error) => recovered(error, chain, exchange),
      ),
    ),
    ended,
    chain,
    exchange,
  );
}

function ended(_: void, { clock }: Chain, exchange: Exchange): void {
  endTrace(exchange, clock.nowMs());
}

function record(refused: unknown, chain: Chain, exchange: Exchange): Awaitable<void> {
  const met = isUnauthenticatedClient(chain, exchange, refused) ? chain.unauthenticatedClients.meet(addressOf(exchange)) : undefined;
  exchange.refusal = met?.refusal ?? refused;
  if (met?.isCounted === true) return serveAudited(undefined, chain, exchange);
  if (isVisitor(chain, exchange, refused) && !chain.unauthenticatedClients.visit(addressOf(exchange))) return serveCounted(chain, exchange);
  return afterWith(beginAudit(chain.audit, exchange), serveAudited, chain, exchange);
}

/** Whether the client presented no valid credential where one is required, now or shortly. */
function isUnauthenticatedClient(chain: Chain, exchange: Exchange, refused: unknown): boolean {
  if (exchange.identity !== undefined) return false;
  return isUnauthenticated(refused) || (refused === undefined && chain.signsInLater(exchange));
}

/**
 * Whether the client has no identity, but was not refused for its credential: it requests a route that authenticates by itself, or it was
 * refused before authentication, such as for the Origin of its page. Both can be repeated at any rate.
 */
function isVisitor(chain: Chain, exchange: Exchange, refused: unknown): boolean {
  if (exchange.identity !== undefined || isUnauthenticated(refused)) return false;
  return refused !== undefined || chain.isSelfAuthenticated(exchange);
}

function isUnauthenticated(error: unknown): boolean {
  return isTapError(error) && error.spec.httpStatus === 401;
}

/** Serves a request, releases its seat and completes its audit event, whatever the outcome. */
function serveAudited(trail: AuditTrail | undefined, chain: Chain, exchange: Exchange): Awaitable<void> {
  exchange.trail = trail;
  return afterWith(rescuedWith(serve, recovered, chain, exchange), end, chain, exchange);
}

/** Serves a request that is audited later as part of a count, or by itself if it fails. */
function serveCounted(chain: Chain, exchange: Exchange): Awaitable<void> {
  return afterWith(rescuedWith(serve, recovered, chain, exchange), endCounted, chain, exchange);
}

function endCounted(_: void, chain: Chain, exchange: Exchange): Awaitable<void> {
  exchange.seat?.release();
  if (!chain.unauthenticatedClients.leave(addressOf(exchange), statusOf(exchange))) return undefined;
  return afterWith(beginAudit(chain.audit, exchange), endLate, chain, exchange);
}

function endLate(trail: AuditTrail, { clock }: Chain, exchange: Exchange): Awaitable<void> {
  return endAudit(trail, exchange, clock.nowMs());
}

function serve(chain: Chain, exchange: Exchange): Awaitable<void> {
  if (exchange.refusal !== undefined) throw exchange.refusal;
  return afterWith(enter(chain, exchange, chain.isStream(exchange)), answer, chain, exchange);
}

function answer(_: void, chain: Chain, exchange: Exchange): Awaitable<void> {
  return chain.answer(exchange);
}

function end(_: void, chain: Chain, exchange: Exchange): Awaitable<void> {
  exchange.seat?.release();
  return exchange.trail === undefined ? undefined : endAudit(exchange.trail, exchange, chain.clock.nowMs());
}

/**
 * Runs the stages from authentication on, for a connection that was opened without a credential and now presents one. Audited as an event
 * of its own, with the status that a request would get. Works once only: after a refusal the connection stays unauthenticated and ends.
 *
 * @throws any error that a request would be refused with
 */
export async function signIn(chain: Chain, exchange: Exchange): Promise<void> {
  try {
    await enterAudited(chain, exchange);
  } catch (error) {
    exchange.identity = undefined;
    exchange.impersonated = undefined;
    // The seat is held until the connection is closed, so refusals do not make room for more connections.
    exchange.deadlineMs = chain.clock.nowMs();
    throw error;
  }
}

async function enterAudited(chain: Chain, exchange: Exchange): Promise<void> {
  let trail: AuditTrail | undefined;
  try {
    const refusal = await authenticate({ ...chain, signsInLater: () => false }, exchange);
    const met = isUnauthenticated(refusal) ? chain.unauthenticatedClients.meet(addressOf(exchange)) : undefined;
    if (met?.isCounted !== true) trail = await beginAudit(chain.audit, exchange);
    if (refusal !== undefined) throw met?.refusal ?? refusal;
    await enter(chain, exchange, true);
    // So far the connection was only counted, because its caller was unknown.
    exchange.trail ??= await beginAudit(chain.audit, exchange);
  } catch (error) {
    noteFailure(chain.log, exchange, error);
    throw error;
  } finally {
    if (trail !== undefined) await endAudit(trail, exchange, chain.clock.nowMs());
  }
}

/** Runs impersonation, flow control and authorization; an unidentified client only takes a seat. */
function enter(chain: Chain, exchange: Exchange, stream: boolean): Awaitable<void> {
  if (stream && chain.isStopping()) throw apiErrors.TAP_API_STOPPING({ message: 'the platform stops and begins no stream any more' });
  const isKnown = exchange.identity !== undefined;
  if (!isKnown && chain.signsInLater(exchange)) return seatUnauthenticatedClient(chain.unauthenticatedClients, exchange);
  const acting = isKnown && exchange.isImpersonating ? impersonate(chain.authorize, exchange) : undefined;
  return afterWith(acting, stream ? enterStream : enterRequest, chain, exchange);
}

const enterStream = (_: void, chain: Chain, exchange: Exchange): Awaitable<void> =>
  afterWith(takeSeat(chain.flow, exchange, true), authorizeKnown, chain, exchange);

const enterRequest = (_: void, chain: Chain, exchange: Exchange): Awaitable<void> =>
  afterWith(takeSeat(chain.flow, exchange, false), authorizeKnown, chain, exchange);

function authorizeKnown(_: void, chain: Chain, exchange: Exchange): Awaitable<void> {
  return exchange.identity === undefined ? undefined : authorizeRequest(chain.authorize, exchange);
}

/** Authenticates the caller, unless an identical request was authenticated on this connection a moment ago. */
function identify(chain: Chain, exchange: Exchange, known: Identity | undefined): Awaitable<unknown> {
  if (known !== undefined) {
    exchange.identity = known;
    return undefined;
  }
  return afterWith(authenticate(chain, exchange), remember, chain, exchange);
}

function remember(refusal: unknown, chain: Chain, { identity, isImpersonating, request, receivedAtMs }: Exchange): unknown {
  if (identity !== undefined && !isImpersonating) chain.connections.keep(request, identity, receivedAtMs);
  return refusal;
}

/** Returns the error to refuse the request with instead of throwing it, because the refusal is audited first. */
function authenticate(chain: Chain, exchange: Exchange): Awaitable<unknown> {
  return rescued(
    () =>
      after(chain.authenticate(credentialsOf(exchange.request)), (identity) => {
        exchange.identity = identity;
        if (identity !== undefined || chain.signsInLater(exchange)) return undefined;
        return apiErrors.TAP_REQUEST_UNAUTHENTICATED({ message: 'the request carries no known credential' });
      }),
    (error) => error,
  );
}
