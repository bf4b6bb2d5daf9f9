import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import type { Awaitable } from '@tappaas/sdk';
import { noteResponseBody, noteStreamBegin } from '../audit-trail.js';
import type { Exchange } from '../request/exchange.js';
import type { PreparedAnswer } from './prepared-answers.js';
import { beginPrepared } from './prepared-head.js';

/** Flat list of names and values, the form that node:http writes without checking it again. */
export const securityHeaders: readonly string[] = [
  'X-Content-Type-Options',
  'nosniff',
  'Cache-Control',
  'no-cache, private',
  'Content-Security-Policy',
  "default-src 'none'; frame-ancestors 'none'",
];

export const jsonType = 'application/json';
/** Up to this size, head and body are written together, which is cheaper than two writes; latin1 keeps all bytes unchanged. */
const oneWriteBytesMax = 8 * 1024;
const gzipBytesMin = 128 * 1024;
const compress = promisify(gzip);

/** Writes the head of an answer; every head has the security headers, the request id and the headers of stages. */
export function sendHead(exchange: Exchange, status: number, mediaType: string | undefined, headers: readonly string[] = []): void {
  if (exchange.isStream && status < 400) noteStreamBegin(exchange, status);
  const type = mediaType === undefined ? [] : ['Content-Type', mediaType];
  const usual = exchange.replacedHeaders === undefined ? securityHeaders : without(securityHeaders, exchange.replacedHeaders);
  exchange.response.writeHead(status, [...type, ...headers, 'X-Request-Id', exchange.requestId, ...usual, ...exchange.extraHeaders]);
}

function without(headers: readonly string[], names: ReadonlySet<string>): readonly string[] {
  return headers.filter((_, index) => !names.has(headers[index - (index % 2)] ?? ''));
}

/** Sends a complete answer; does nothing if one has begun already, as after a deadline. */
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
  // If the text has as many bytes as characters, it is ASCII, which is written faster as latin1.
  else if (typeof bytes === 'string') response.end(bytes, length === bytes.length ? 'latin1' : 'utf8');
  else if (length > oneWriteBytesMax) response.end(bytes);
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

/** Sends a complete answer, compressed if it is large and the client accepts that. */
export function sendWhole(
  exchange: Exchange,
  status: number,
  mediaType: string,
  bytes: Uint8Array,
  headers: readonly string[],
): Awaitable<void> {
  if (bytes.byteLength < gzipBytesMin || !acceptsGzip(exchange.header('accept-encoding'))) {
    sendBytes(exchange, status, mediaType, bytes, headers);
    return;
  }
  return compress(bytes, { level: 1 }).then((packed) =>
    sendBytes(exchange, status, mediaType, packed, [...headers, 'Content-Encoding', 'gzip']),
  );
}

/** Sends an answer prepared when its content changed; the request only adds its own headers. */
export function sendPrepared(exchange: Exchange, answer: PreparedAnswer): Awaitable<void> {
  const { response } = exchange;
  const { body } = answer;
  if (typeof body !== 'string' && answer.bodyBytes >= gzipBytesMin && acceptsGzip(exchange.header('accept-encoding'))) {
    return sendWhole(exchange, 200, jsonType, body, ['Vary', 'Accept, Accept-Encoding']);
  }
  if (response.headersSent || response.destroyed) return;
  if (exchange.trail?.wants === 'both') noteResponseBody(exchange, typeof body === 'string' ? Buffer.from(body, 'latin1') : body);
  if (!beginPrepared(exchange, answer.lines)) {
    response.writeHead(200, [...answer.headers, 'X-Request-Id', exchange.requestId, ...exchange.extraHeaders]);
  }
  if (exchange.request.method === 'HEAD') response.end();
  else if (typeof body === 'string') response.end(body, 'latin1');
  else response.end(body);
}

function acceptsGzip(header: string | undefined): boolean {
  return header !== undefined && /(?:^|,)\s*(?:gzip|\*)\s*(?:$|,|;\s*q=(?!0(?:\.0*)?\s*(?:,|$)))/i.test(header);
}
