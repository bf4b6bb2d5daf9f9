import type { Awaitable, Caller } from '@tappaas/sdk';
import { afterWith } from './after.js';
import { holderOf } from './connection/address-seats.js';
import type { Strangers } from './connection/strangers.js';
import type { Exchange } from './request/exchange.js';
import type { AdmitFlow, FlowRequest, Seat } from './stages.js';

/** What flow control is asked about an exchange, whose signal most requests never need. */
class Asked implements FlowRequest {
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

/** Routes that authenticate by themselves are asked by nobody yet; each address is a principal of its own. */
function anonymousAt(exchange: Exchange): Caller {
  return { name: `system:anonymous at ${holderOf(addressOf(exchange))}`, groups: [] };
}

/** Who brings its credential in a moment has a seat apart from all others until then. */
export function seatStranger(strangers: Strangers, exchange: Exchange): void {
  exchange.seat = strangers.takeSeat(addressOf(exchange));
  exchange.isStream = true;
  exchange.request.socket.setTimeout(0);
}

/** Takes a seat, in place of the one held already: a stream has no deadline but the end of the caller's credential. */
export function takeSeat(flow: AdmitFlow, exchange: Exchange, stream: boolean): Awaitable<void> {
  const { engine, verb } = exchange.info;
  const caller = exchange.identity === undefined ? anonymousAt(exchange) : exchange.caller;
  exchange.seat?.release();
  exchange.seat = undefined;
  return afterWith(flow(new Asked(caller, engine, verb, stream, exchange)), sit, exchange, stream);
}

function sit(seat: Seat, exchange: Exchange, stream: boolean): void {
  exchange.seat = seat;
  exchange.isStream = stream;
  if (stream) {
    exchange.deadlineMs = exchange.identity?.expiresAtMs ?? Infinity;
    // Nothing may happen on it for as long as nothing happens; `drained` looks after clients that do not read.
    exchange.request.socket.setTimeout(0);
  }
  for (const name in seat.headers) exchange.extraHeaders.push(name, seat.headers[name] ?? '');
}

/** Where the client of an exchange is. */
export function addressOf({ request }: Exchange): string {
  return request.socket.remoteAddress ?? '';
}
