import type { Logger, TapError } from '@tappaas/sdk';
import { stringify } from 'yaml';
import { jsonType, sendBytes } from './answer.js';
import { isBrokenOff } from '../watch/broken-off.js';
import { apiErrors } from '../errors.js';
import type { Exchange } from '../request/exchange.js';
import { wantsProblem } from '../request/media-type.js';
import { refusalPage, wantsPage } from './refusal-page.js';
import { failureStatus, problemOf, publicError } from './status.js';
import { StreamEnd } from '../watch/stream-pace.js';

/** Panic recovery and every refusal: whatever was thrown becomes a Status; what is our fault goes to the log with its cause. */
export function recover(log: Logger, exchange: Exchange, thrown: unknown): void {
  sendFailure(exchange, noteFailure(log, exchange, thrown));
}

/**
 * Notes what went wrong for audit and, when it is our fault, in the log (a stop is nobody's, nor is what broke off because the client has gone);
 * answers what the client may see of it.
 */
export function noteFailure(log: Logger, exchange: Exchange, thrown: unknown): TapError {
  const error = publicError(isBrokenOff(exchange.signal, thrown) ? reasonOf(exchange.signal) : thrown, exchange.requestId);
  exchange.errorCode = error.code;
  if (exchange.upgradeStatus !== undefined) exchange.upgradeStatus = error.spec.httpStatus;
  if (error.spec.httpStatus >= 500 && error.code !== 'TAP_API_STOPPING') {
    log.error(error.message, {
      code: error.code,
      requestId: exchange.requestId,
      path: exchange.path.path,
      plugin: error.plugin,
      cause: error.cause ?? error,
    });
  }
  return error;
}

/** Why nobody waits any more: a stream that has ended has no failure to tell. */
function reasonOf({ reason }: AbortSignal): unknown {
  return reason instanceof StreamEnd ? apiErrors.TAP_REQUEST_ABORTED({ message: reason.message, cause: reason }) : reason;
}

/** Tells the client, and a person in a browser on a page; when an answer has begun already, cutting it off is the only way left to say that it is not whole. */
export function sendFailure(exchange: Exchange, error: TapError): void {
  const { response } = exchange;
  if (response.headersSent) {
    if (!response.writableEnded) response.destroy();
    return;
  }
  const status = failureStatus(error, exchange.info);
  const headers = headersOf(error);
  const accept = exchange.header('accept');
  if (exchange.beginAgainAt !== undefined && wantsPage(accept)) {
    const page = refusalPage(error, exchange.requestId, exchange.beginAgainAt);
    // Where it leads is not to be told of the address here, in which a provider may have left a code.
    sendBytes(exchange, status.code, 'text/html; charset=utf-8', page, [...headers, 'Referrer-Policy', 'no-referrer']);
  } else if (wantsProblem(accept)) {
    sendBytes(exchange, status.code, 'application/problem+json', safeJson(problemOf(status, exchange.requestId)), headers);
  } else if (accept === 'application/yaml') sendBytes(exchange, status.code, accept, stringify(status), headers);
  else sendBytes(exchange, status.code, jsonType, safeJson(status), headers);
}

function headersOf(error: TapError): string[] {
  const headers: string[] = [];
  if (error.spec.httpStatus === 401) headers.push('WWW-Authenticate', 'Bearer realm="tappaas"');
  if (error.retryAfterMs !== undefined) headers.push('Retry-After', String(Math.max(1, Math.ceil(error.retryAfterMs / 1000))));
  for (const name of ['RateLimit', 'RateLimit-Policy']) {
    const value = error.data[name];
    if (typeof value === 'string') headers.push(name, value);
  }
  return headers;
}

/** Messages quote what callers sent; escaped, no sniffing reader can take them for markup. */
function safeJson(value: object): string {
  return JSON.stringify(value).replace(/[<>&]/g, (character) => `\\u00${character.charCodeAt(0).toString(16)}`);
}
