import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import type { Awaitable } from '@tappaas/sdk';
import { noteResponseBody, noteStreamBegin } from './audit-trail.js';
import type { Exchange } from './exchange.js';

/** Flat lists of names and values: the form that node:http writes without looking at it again. */
export const securityHeaders: readonly string[] = [
  'X-Content-Type-Options',
  'nosniff',
  'Cache-Control',
  'no-cache, private',
  'Content-Security-Policy',
  "default-src 'none'; frame-ancestors 'none'",
];

export const jsonType = 'application/json';
/** Up to here head and body go out in one piece, which costs less than a copy of the body; latin1 keeps every byte as it is. */
const oneWriteBytesMax = 8 * 1024;
const gzipBytesMin = 128 * 1024;
const compress = promisify(gzip);

/** Begins an answer; the security headers, the request id and the stages' headers go with every one. */
export function sendHead(exchange: Exchange, status: number, mediaType: string | undefined, headers: readonly string[] = []): void {
  if (exchange.isStream && status < 400) noteStreamBegin(exchange, status);
  const type = mediaType === undefined ? [] : ['Content-Type', mediaType];
  const usual = exchange.replacedHeaders === undefined ? securityHeaders : without(securityHeaders, exchange.replacedHeaders);
  exchange.response.writeHead(status, [...type, ...headers, 'X-Request-Id', exchange.requestId, ...usual, ...exchange.extraHeaders]);
}

function without(headers: readonly string[], names: ReadonlySet<string>): readonly string[] {
  return headers.filter((_, index) => !names.has(headers[index - (index % 2)] ?? ''));
}

/** Sends a whole answer; nothing when the answer has begun already, as after a deadline. */
export function sendBytes(
  exchange: Exchange,
  status: number,
  mediaType: string,
  bytes: Uint8Array | string,
  headers: readonly string[] = [],
): void {
  const { response } = exchange;
  if (response.headersSent || response.destroyed) return;
  const length = typeof bytes === 'string' ? Buffer.byteLength(bytes) : bytes.byteLength;
  sendHead(exchange, status, mediaType, ['Content-Length', String(length), ...headers]);
  noteResponseBody(exchange, bytes);
  if (exchange.request.method === 'HEAD') response.end();
  else if (typeof bytes === 'string' || length > oneWriteBytesMax) response.end(bytes);
  else response.end(Buffer.from(bytes.buffer, bytes.byteOffset, length).toString('latin1'), 'latin1');
}

export function sendJson(exchange: Exchange, status: number, value: object, headers?: readonly string[]): void {
  sendBytes(exchange, status, jsonType, JSON.stringify(value), headers);
}

export function sendEmpty(exchange: Exchange, status: number, headers: readonly string[] = []): void {
  if (exchange.response.headersSent || exchange.response.destroyed) return;
  sendHead(exchange, status, undefined, headers);
  exchange.response.end();
}

/** Sends a whole answer that stands in pieces; compressed when it is large and the client takes that. */
export function sendPieces(exchange: Exchange, status: number, mediaType: string, pieces: readonly Uint8Array[]): Awaitable<void> {
  const vary = ['Vary', 'Accept, Accept-Encoding'];
  const bytes = pieces.reduce((sum, piece) => sum + piece.byteLength, 0);
  if (bytes >= gzipBytesMin && acceptsGzip(exchange.header('accept-encoding'))) {
    const headers = [...vary, 'Content-Encoding', 'gzip'];
    return compress(Buffer.concat(pieces), { level: 1 }).then((packed) => sendBytes(exchange, status, mediaType, packed, headers));
  }
  if (bytes <= oneWriteBytesMax || exchange.request.method === 'HEAD') {
    sendBytes(exchange, status, mediaType, Buffer.concat(pieces), vary);
  } else if (!exchange.response.headersSent && !exchange.response.destroyed) {
    sendHead(exchange, status, mediaType, ['Content-Length', String(bytes), ...vary]);
    for (const piece of pieces) exchange.response.write(piece);
    exchange.response.end();
  }
}

function acceptsGzip(header: string | undefined): boolean {
  return header !== undefined && /(?:^|,)\s*(?:gzip|\*)\s*(?:$|,|;\s*q=(?!0(?:\.0*)?\s*(?:,|$)))/i.test(header);
}
