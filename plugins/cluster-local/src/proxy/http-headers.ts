import type { IncomingMessage, OutgoingHttpHeaders } from 'node:http';

/** Hop-by-hop headers, which are not forwarded. */
const ofConnection = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/** The headers of a message without hop-by-hop headers. */
function passedOn(message: IncomingMessage): OutgoingHttpHeaders {
  const named = new Set((message.headers.connection ?? '').split(',').map((name) => name.trim().toLowerCase()));
  const headers: OutgoingHttpHeaders = {};
  for (const [name, values = []] of Object.entries(message.headersDistinct)) {
    if (!ofConnection.has(name) && !named.has(name)) headers[name] = values.length === 1 ? values[0] : values;
  }
  return headers;
}

/** Headers of the request to an endpoint. Forwarding headers of the client are replaced, since no trusted proxy precedes this one. */
export function upstreamHeaders(request: IncomingMessage): OutgoingHttpHeaders {
  const headers = passedOn(request);
  const host = request.headers.host ?? '';
  headers['x-forwarded-for'] = request.socket.remoteAddress ?? '';
  headers['x-forwarded-host'] = host;
  headers['x-forwarded-proto'] = 'http';
  delete headers['expect'];
  return headers;
}

/** Headers of the response to the client. */
export const downstreamHeaders = passedOn;

/** Whether a method is idempotent, so that a request may be sent twice. */
export const isIdempotent = (method: string | undefined): boolean =>
  ['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE', 'TRACE'].includes(method ?? '');

/** Whether a request has a body. */
export const hasBody = ({ headers }: IncomingMessage): boolean =>
  headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
