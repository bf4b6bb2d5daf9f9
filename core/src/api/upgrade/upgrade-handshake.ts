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

/** Whether a request asks for the one protocol that connections are upgraded to; every other wish is ignored, as HTTP lets us. */
export function asksForWebSocket({ headers }: IncomingMessage): boolean {
  return headers.upgrade?.toLowerCase() === 'websocket';
}

/**
 * Refuses what is no WebSocket handshake (RFC 6455), so that whoever completes it later finds nothing to refuse.
 *
 * @throws TAP_REQUEST_METHOD_NOT_ALLOWED, TAP_REQUEST_HEADER_INVALID, TAP_REQUEST_UPGRADE_REQUIRED
 */
export function checkHandshake(exchange: Exchange): void {
  const { method = '', headers } = exchange.request;
  if (method !== 'GET') {
    exchange.extraHeaders.push('Allow', 'GET');
    throw apiErrors.TAP_REQUEST_METHOD_NOT_ALLOWED({ message: `a WebSocket begins with GET, found ${method}` });
  }
  if (!asksForWebSocket(exchange.request)) throw invalid('upgrade', 'expected "websocket"');
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

/** What the client offers to speak, in its order. */
export function offeredProtocols({ headers }: IncomingMessage): readonly string[] {
  const header = headers['sec-websocket-protocol'];
  return header === undefined ? [] : header.split(',').map((each) => each.trim());
}

/**
 * A web page cannot set headers of a WebSocket. So, as for kube-apiserver, a bearer token may come as one of the protocols offered; it is
 * moved to where every token is, and taken out of the offer, so that nobody answers or logs it.
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
 * Browsers send cookies along with a WebSocket whatever page opens it, and CORS does not hold for it: so a page must be of ours or of an
 * allowed origin. Who sends no origin is no browser, and brings something that no page has, a token or a certificate.
 */
export function originRefusal({ origins }: Cors, { request }: Exchange): Error | undefined {
  const { origin, cookie, authorization } = request.headers;
  if (origin === undefined) {
    return cookie === undefined || authorization !== undefined ? undefined : refused('a cookie counts only beside the Origin of a page');
  }
  if (origins.includes(origin) || isSameOrigin(origin, request)) return undefined;
  return refused('pages of this Origin may not open a WebSocket here (api.origins lists those that may)');
}

/** A listener without TLS stands behind something that may speak TLS for it. */
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
