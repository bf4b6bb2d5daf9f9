import type { IncomingMessage } from 'node:http';
import { TLSSocket } from 'node:tls';
import type { Cors } from '../cors.js';
import { apiErrors } from '../errors.js';
import type { Exchange } from '../request/exchange.js';

const bearerPrefix = 'base64url.bearer.authorization.k8s.io.';
const handshakeKey = /^[+/0-9A-Za-z]{22}==$/;
const protocolName = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
const protocolsMax = 16;
const tokenText = /^[\x21-\x7e]+$/;

/** Whether a request asks for a WebSocket; requests for other protocols are ignored, as HTTP allows. */
export function requestsWebSocket({ headers }: IncomingMessage): boolean {
  return headers.upgrade?.toLowerCase() === 'websocket';
}

/**
 * Refuses invalid WebSocket handshakes (RFC 6455), so that the library that completes a handshake later never refuses it.
 *
 * @throws TAP_REQUEST_METHOD_NOT_ALLOWED, TAP_REQUEST_HEADER_INVALID, TAP_REQUEST_UPGRADE_REQUIRED
 */
export function checkHandshake(exchange: Exchange): void {
  const { method = '', headers } = exchange.request;
  if (method !== 'GET') {
    exchange.extraHeaders.push('Allow', 'GET');
    throw apiErrors.TAP_REQUEST_METHOD_NOT_ALLOWED({ message: `a WebSocket begins with GET, found ${method}` });
  }
  if (!requestsWebSocket(exchange.request)) throw invalid('upgrade', 'expected "websocket"');
  if (!handshakeKey.test(headers['sec-websocket-key'] ?? '')) throw invalid('sec-websocket-key', 'expected 16 bytes in base64');
  if (headers['sec-websocket-version'] !== '13') {
    exchange.extraHeaders.push('Sec-WebSocket-Version', '13');
    throw apiErrors.TAP_REQUEST_UPGRADE_REQUIRED({ message: 'only version 13 of WebSocket is served' });
  }
  const offered = offeredProtocols(exchange.request);
  if (offered.length > protocolsMax)
    throw invalid('sec-websocket-protocol', `${offered.length} are offered, at most ${protocolsMax} are read`);
  if (!offered.every((each) => protocolName.test(each)) || new Set(offered).size < offered.length) {
    throw invalid('sec-websocket-protocol', 'expected names, each once');
  }
}

/** Returns the subprotocols that the client offers, in its order. */
export function offeredProtocols({ headers }: IncomingMessage): readonly string[] {
  const header = headers['sec-websocket-protocol'];
  return header === undefined ? [] : header.split(',').map((each) => each.trim());
}

/**
 * Accepts a bearer token as a subprotocol, as kube-apiserver does, because web pages cannot set headers of a WebSocket. The token is moved
 * to the authorization header and removed from the offer, so that it is neither answered nor logged.
 *
 * @throws TAP_REQUEST_HEADER_INVALID
 */
export function moveBearerProtocol(request: IncomingMessage): void {
  const { headers } = request;
  const offered = offeredProtocols(request);
  const [bearer, ...more] = offered.filter((each) => each.startsWith(bearerPrefix));
  if (bearer === undefined) return;
  const name = 'sec-websocket-protocol';
  if (more.length > 0) throw invalid(name, 'offers more than one bearer token');
  if (headers.authorization !== undefined) throw invalid(name, 'offers a bearer token although there is an authorization header');
  const others = offered.filter((each) => each !== bearer);
  if (others.length === 0) throw invalid(name, 'offers a bearer token and no protocol beside it to answer with');
  const encoded = bearer.slice(bearerPrefix.length);
  const token = Buffer.from(encoded, 'base64url').toString('latin1');
  if (!tokenText.test(token) || Buffer.from(token, 'latin1').toString('base64url') !== encoded.replace(/={1,2}$/, '')) {
    throw invalid(name, 'offers a bearer token that is not base64url');
  }
  headers.authorization = `Bearer ${token}`;
  headers[name] = others.join(', ');
}

/**
 * Returns why the origin is refused, if it is. Browsers send cookies with a WebSocket from any page, and CORS does not apply: the page must
 * be ours or of an allowed origin. A client without an origin is not a browser, and must present something that a page cannot: a token or a
 * certificate.
 */
export function originRefusal({ origins }: Cors, { request }: Exchange): Error | undefined {
  const { origin, cookie, authorization } = request.headers;
  if (origin === undefined) {
    return cookie === undefined || authorization !== undefined ? undefined : refused('a cookie counts only beside the Origin of a page');
  }
  if (origins.includes(origin) || isSameOrigin(origin, request)) return undefined;
  return refused('pages of this Origin may not open a WebSocket here (api.origins lists those that may)');
}

/** Whether the origin is that of the request; without TLS here, a proxy in front may add it, so both schemes are accepted. */
function isSameOrigin(origin: string, { headers, socket }: IncomingMessage): boolean {
  const { host = '' } = headers;
  return origin === `https://${host}` || (!(socket instanceof TLSSocket) && origin === `http://${host}`);
}

function refused(message: string): Error {
  return apiErrors.TAP_REQUEST_ORIGIN_REFUSED({ message });
}

function invalid(header: string, problem: string): Error {
  return apiErrors.TAP_REQUEST_HEADER_INVALID({ message: `header ${header} ${problem}` });
}
