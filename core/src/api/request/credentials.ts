import type { IncomingMessage } from 'node:http';
import { TLSSocket } from 'node:tls';
import type { Credentials } from '@tappaas/sdk';
import { verifiedCertificate } from '../connection/client-certificate.js';
import { apiErrors } from '../errors.js';
import type { Exchange } from './exchange.js';

/** Returns what authenticators may see. A client certificate is included only if the TLS layer has verified it. */
export function credentialsOf(request: IncomingMessage): Credentials {
  const { socket } = request;
  const headers = request.headers as Readonly<Record<string, string>>;
  const remoteAddress = socket.remoteAddress ?? '';
  const clientCertificate = socket instanceof TLSSocket && socket.authorized ? verifiedCertificate(socket) : undefined;
  if (clientCertificate === undefined) return { headers, remoteAddress };
  return { headers, remoteAddress, clientCertificate, headerValues: request.headersDistinct as Readonly<Record<string, string[]>> };
}

/** Maximum headers of a request; the listener reads one more, to detect an excess. */
export const headersMax = 100;

/** Headers allowed only once: of several, Node keeps one, while a proxy in front may have used another. Each has a bit of its own. */
const onceOnly: ReadonlyMap<string, number> = new Map(
  ['host', 'authorization', 'content-type', 'content-length', 'content-encoding', 'impersonate-user', 'if-match'].map(
    (name, index) => [name, 1 << index] as const,
  ),
);
const hostBit = 1;
const overrideBit = 1 << 29;
const impersonatingBit = 1 << 30;
const overrides = new Set(['x-http-method-override', 'x-http-method', 'x-method-override']);
const bodiless = new Set(['GET', 'HEAD', 'OPTIONS']);
/** Caches the meaning of header names as spelled, because the same few come with every request. */
const spelled = new Map<string, number>();
const spelledMax = 512;
const nameCharsMax = 64;

function meaningOf(name: string): number {
  const known = spelled.get(name);
  if (known !== undefined) return known;
  const lower = name.toLowerCase();
  const made =
    (onceOnly.get(lower) ?? 0) | (overrides.has(lower) ? overrideBit : 0) | (lower.startsWith('impersonate-') ? impersonatingBit : 0);
  if (spelled.size < spelledMax && name.length <= nameCharsMax) spelled.set(name, made);
  return made;
}

/**
 * Refuses requests that two parsers could understand differently: repeated headers, method overrides, reads with a body. Also notes
 * whether the request impersonates another user.
 *
 * @throws TAP_REQUEST_HEADER_INVALID, TAP_REQUEST_EXPECTATION_UNKNOWN
 */
export function refuseAmbiguousCredentials(exchange: Exchange): void {
  const { rawHeaders, method = '', headers } = exchange.request;
  // The listener drops headers beyond its maximum, but a proxy in front may have used one of those.
  if (rawHeaders.length > 2 * headersMax) throw invalid(`the request has more than ${headersMax} headers`);
  let seen = 0;
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index] ?? '';
    const meaning = meaningOf(name);
    if (meaning === 0) continue;
    if ((seen & meaning & ~impersonatingBit) !== 0) throw invalid(`header ${name.toLowerCase()} was sent more than once`);
    seen |= meaning;
    if ((meaning & overrideBit) !== 0) throw invalid(`header ${name.toLowerCase()} is not supported; send the method itself`);
  }
  if ((seen & impersonatingBit) !== 0) exchange.isImpersonating = true;
  if ((seen & hostBit) === 0) throw invalid('header host is missing');
  if (headers.expect !== undefined && headers.expect.toLowerCase() !== '100-continue') throw unknownExpectation(exchange);
  const hasBody = headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
  if (hasBody && bodiless.has(method)) throw invalid(`a ${method} request has no body here`);
}

function unknownExpectation({ extraHeaders }: Exchange): Error {
  // The client may never send its body, so the connection cannot be reused.
  extraHeaders.push('Connection', 'close');
  return apiErrors.TAP_REQUEST_EXPECTATION_UNKNOWN({ message: 'no expectation other than 100-continue is known' });
}

function invalid(message: string): Error {
  return apiErrors.TAP_REQUEST_HEADER_INVALID({ message });
}
