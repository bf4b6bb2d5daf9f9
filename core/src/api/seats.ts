import type { Awaitable, Caller } from '@tappaas/sdk';
import { afterWith } from './after.js';
import { holderOf } from './connection/address-seats.js';
import type { UnauthenticatedClients } from './connection/unauthenticated-clients.js';
import type { Exchange } from './request/exchange.js';
import type { AdmitFlow, FlowRequest, Seat } from './stages.js';

/** The request to flow control for an exchange. The signal is created on demand, because most requests never need it. */
class ExchangeRequest implements FlowRequest {
  readonly caller: Caller;
  readonly engine: string;
  readonly verb: string;
  readonly stream: boolean;
  readonly #exchange: Exchange;

  constructor(caller: Caller, engine: string, verb: string, stream: boolean, exchange: Exchange) {
    this.caller = caller;
    this.engine = engine;
    this.verb = verb;
    this.stream = stream;
    this.#exchange = exchange;
  }

  get signal(): AbortSignal {
    return this.#exchange.signal;
  }
}

/** Returns the flow-control principal for a request without an identity: one per address. */
function anonymousAt(exchange: Exchange): Caller {
  return { name: `system:anonymous at ${holderOf(addressOf(exchange))}`, groups: [] };
}

/** Takes a seat from the separate pool of clients that have not authenticated yet. */
export function seatUnauthenticatedClient(unauthenticatedClients: UnauthenticatedClients, exchange: Exchange): void {
  exchange.seat = unauthenticatedClients.takeSeat(addressOf(exchange));
  exchange.isStream = true;
  exchange.request.socket.setTimeout(0);
}

/** Takes a seat, after releasing the present one. A stream ends with the caller's credential instead of the request deadline. */
export function takeSeat(flow: AdmitFlow, exchange: Exchange, stream: boolean): Awaitable<void> {
  const { engine, verb } = exchange.info;
  const caller = exchange.identity === undefined ? anonymousAt(exchange) : exchange.caller;
  exchange.seat?.release();
  exchange.seat = undefined;
  return afterWith(flow(new ExchangeRequest(caller, engine, verb, stream, exchange)), sit, exchange, stream);
}

function sit(seat: Seat, exchange: Exchange, stream: boolean): void {
  exchange.seat = seat;
  exchange.isStream = stream;
  if (stream) {
    exchange.deadlineMs = exchange.identity?.expiresAtMs ?? Infinity;
    // A stream may be idle for any time; `drained` handles clients that do not read.
    exchange.request.socket.setTimeout(0);
  }
  for (const name in seat.headers) exchange.extraHeaders.push(name, seat.headers[name] ?? '');
}

/** Returns the address of an exchange's client. */
export function addressOf({ request }: Exchange): string {
  return request.socket.remoteAddress ?? '';
}
