import { sendEmpty } from './answer/answer.js';
import type { Exchange } from './request/exchange.js';

/** Origins whose web pages may read answers; none by default. */
export interface Cors {
  readonly origins: readonly string[];
}

const methods = 'GET, POST, PUT, PATCH, DELETE';
const requestHeaders = 'Authorization, Content-Type, Accept, If-Match, If-None-Match, Idempotency-Key';
const exposedHeaders = 'ETag, Location, Retry-After, Warning, Deprecation, Sunset, X-Request-Id, RateLimit, RateLimit-Policy';

/** Adds the headers for an allowed origin. Answers its preflight request and then returns true. */
export function applyCors({ origins }: Cors, exchange: Exchange): boolean {
  const origin = exchange.request.headers.origin;
  if (origin === undefined || !origins.includes(origin)) return false;
  exchange.extraHeaders.push('Access-Control-Allow-Origin', origin, 'Access-Control-Expose-Headers', exposedHeaders, 'Vary', 'Origin');
  const isPreflight = exchange.request.method === 'OPTIONS' && exchange.header('access-control-request-method') !== undefined;
  if (!isPreflight) return false;
  sendEmpty(exchange, 204, [
    'Access-Control-Allow-Methods',
    methods,
    'Access-Control-Allow-Headers',
    requestHeaders,
    'Access-Control-Max-Age',
    '600',
  ]);
  return true;
}
