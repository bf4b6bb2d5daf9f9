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

/** Handles any error of a request: answers it as a Status, and logs faults of the platform with their cause. */
export function recover(log: Logger, exchange: Exchange, thrown: unknown): void {
  sendFailure(exchange, noteFailure(log, exchange, thrown));
}

/**
 * Notes an error for audit, and logs it if it is a fault of the platform (a shutdown is not, nor is what failed because the client
 * disconnected). Returns what the client may see of it.
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

/** Returns why the exchange was aborted; the orderly end of a stream counts as an aborted request. */
function reasonOf({ reason }: AbortSignal): unknown {
  return reason instanceof StreamEnd ? apiErrors.TAP_REQUEST_ABORTED({ message: reason.message, cause: reason }) : reason;
}

/** Sends a failure, in a browser as a page. If an answer has begun, only cutting it off can show that it is incomplete. */
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
    // The linked page must not get this URL as referrer: an identity provider may have put a code into it.
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

/** Escapes markup: messages quote callers' input, which a client that sniffs content could take for HTML. */
function safeJson(value: object): string {
  return JSON.stringify(value).replace(/[<>&]/g, (character) => `\\u00${character.charCodeAt(0).toString(16)}`);
}
