import type { Awaitable, HttpAnswer, HttpRequest } from '@tappaas/sdk';
import { securityHeaders, sendBytes, sendHead } from './answer.js';
import type { Call } from '../contributions.js';
import { apiErrors } from '../errors.js';
import type { Exchange } from '../request/exchange.js';
import { readBody } from '../request/request-body.js';
import type { StreamLimits } from '../watch/slow-reader.js';
import { pump } from '../watch/stream-pace.js';

/** What sending answers of plugins' handlers needs. */
export interface HandlerLimits extends StreamLimits {
  /** Turns a request into a stream: takes a stream seat, and ends the deadline. */
  readonly becomeStream: (exchange: Exchange) => Awaitable<void>;
  /** Whether browsers are to use only TLS from now on. */
  readonly strictTransport: boolean;
}

/** One year, without subdomains: other services below this host name are not ours to restrict. */
const strictTransport = ['Strict-Transport-Security', 'max-age=31536000'];

const credentials = new Set(['authorization', 'cookie', 'proxy-authorization']);

/** Makes the request for a handler, with the caller's credentials only if the handler authenticates by itself. */
export async function handlerRequest(
  exchange: Exchange,
  params: Readonly<Record<string, string>>,
  options: { readonly bodyBytesMax: number; readonly withCredentials: boolean },
): Promise<HttpRequest> {
  const shown = Object.entries(exchange.request.headers).filter(([name]) => options.withCredentials || !credentials.has(name));
  const headers = Object.fromEntries(shown.map(([name, value]) => [name, Array.isArray(value) ? value.join(', ') : (value ?? '')]));
  const body = await readBody(exchange, options.bodyBytesMax);
  return { params, query: Object.fromEntries(exchange.query), headers, body };
}

/** Makes the context of a call into a handler. */
export function callOf(exchange: Exchange, { clock }: StreamLimits): Omit<Call, 'caller'> {
  return {
    requestId: exchange.requestId,
    signal: exchange.signal,
    remainingMs: () => Math.max(0, exchange.deadlineMs - clock.nowMs()),
  };
}

const ownHeaders = new Set(['connection', 'content-length', 'keep-alive', 'trailer', 'transfer-encoding', 'upgrade', 'x-request-id']);
const token = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
const fieldText = /^[\t\x20-\x7e\x80-\xff]*$/;

/** Sends the answer of a handler. Its headers replace the usual ones of the same name, except those of the connection. */
export async function sendHandlerAnswer(exchange: Exchange, answer: HttpAnswer, limits: HandlerLimits): Promise<void> {
  const { status, body = '' } = answer;
  if (!Number.isInteger(status) || status < 200 || status > 599) throw badAnswer(`status ${status}, expected 200 to 599`);
  const headers = Object.entries(answer.headers ?? {}).filter(([name]) => !ownHeaders.has(name.toLowerCase()));
  for (const [name, value] of headers) {
    if (!token.test(name) || !fieldText.test(value)) throw badAnswer(`header ${JSON.stringify(name)} that is not HTTP`);
  }
  const given = new Map(headers.map(([name, value]) => [name.toLowerCase(), value]));
  const mediaType = given.get('content-type') ?? 'application/octet-stream';
  given.delete('content-type');
  exchange.replacedHeaders = new Set(securityHeaders.filter((name, index) => index % 2 === 0 && given.has(name.toLowerCase())));
  if (limits.strictTransport && !given.has('strict-transport-security')) exchange.extraHeaders.push(...strictTransport);
  if (typeof body === 'string' || body instanceof Uint8Array) {
    sendBytes(exchange, status, mediaType, body, [...given].flat());
    return;
  }
  if (!(Symbol.asyncIterator in Object(body))) throw badAnswer('a body that is neither text, nor bytes, nor an async iterable of bytes');
  await limits.becomeStream(exchange);
  sendHead(exchange, status, mediaType, [...given].flat());
  exchange.response.flushHeaders();
  await pump(exchange, body, limits);
}

function badAnswer(found: string): Error {
  return apiErrors.TAP_API_INTERNAL({ message: `the handler of the path answered with ${found}` });
}
