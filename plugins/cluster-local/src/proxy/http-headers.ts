import type { IncomingMessage, OutgoingHttpHeaders } from 'node:http';

/** Headers that belong to one connection and are not passed on. */
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

/** The headers of a message without those of its connection. */
function passedOn(message: IncomingMessage): OutgoingHttpHeaders {
  const named = new Set((message.headers.connection ?? '').split(',').map((name) => name.trim().toLowerCase()));
  const headers: OutgoingHttpHeaders = {};
  for (const [name, values = []] of Object.entries(message.headersDistinct)) {
    if (!ofConnection.has(name) && !named.has(name)) headers[name] = values.length === 1 ? values[0] : values;
  }
  return headers;
}

/** Headers of the request to an endpoint; what a client claims about forwarding is replaced, because nobody stands before this proxy. */
export function upstreamHeaders(request: IncomingMessage): OutgoingHttpHeaders {
  const headers = passedOn(request);
  const host = request.headers.host ?? '';
  headers['x-forwarded-for'] = request.socket.remoteAddress ?? '';
  headers['x-forwarded-host'] = host;
  headers['x-forwarded-proto'] = 'http';
  delete headers['expect'];
  return headers;
}

/** Headers of the answer to the client. */
export const downstreamHeaders = passedOn;

/** Whether a request may be sent twice: it changes nothing, or the same. */
export const isIdempotent = (method: string | undefined): boolean =>
  ['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE', 'TRACE'].includes(method ?? '');

/** Whether a request brings a body. */
export const hasBody = ({ headers }: IncomingMessage): boolean =>
  headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
