import type { IncomingMessage, Server, ServerOptions, ServerResponse } from 'node:http';
import { createServer as createHttpsServer, type Server as HttpsServer } from 'node:https';
import { Server as NetServer, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { SecureContext, SecureContextOptions, TlsOptions, TLSSocket } from 'node:tls';
import type { AddressSeats } from './address-seats.js';
import type { TlsMaterial } from '../certificates/certificates.js';
import { verifiedCertificate } from './client-certificate.js';
import { headersMax } from '../request/credentials.js';
import { createHttpServer, STATUS_CODES } from '../node-http.js';
import { OpenConnections } from './open-connections.js';
import { tlsPolicy, type TlsPolicy } from './tls-policy.js';
import { asksForWebSocket } from '../upgrade/upgrade-handshake.js';

/** How a listener is bound; without `tls` it speaks plain http, for benchmarks and behind a proxy that ends TLS on the same machine. */
export interface ListenerOptions {
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  readonly tls?: TlsMaterial;
  /** Which TLS is spoken. Default: 1.2 or newer, with forward secrecy and authenticated encryption. */
  readonly tlsPolicy?: TlsPolicy;
  /** Another certificate for clients that ask for this name. */
  readonly contextFor?: (servername: string) => SecureContext | undefined;
  readonly connectionsMax: number;
  readonly addresses: AddressSeats;
  /** How long the headers of a request, and the whole of it, may take to arrive. */
  readonly headMsMax: number;
  readonly bodyMsMax: number;
  /** How long a connection may neither send nor take anything, unless a stream is on it. */
  readonly silentMsMax: number;
  /** `awaitsContinue`: the client sends its body only after `100 Continue`. */
  readonly serve: (request: IncomingMessage, response: ServerResponse, awaitsContinue: boolean) => void;
  /** Called when a client asks for a WebSocket; from then on the handler owns the socket. */
  readonly upgrade: (request: IncomingMessage, socket: Duplex, head: Buffer) => void;
  /** A connection has ended, whether or not everything asked for on it was answered. */
  readonly closed: (socket: Socket) => void;
  /** The listener goes on, but something is wrong with it, such as no file descriptor being left. */
  readonly failed: (error: Error) => void;
}

export interface Listener {
  readonly url: string;
  readonly port: number;
  renew(tls: TlsMaterial): void;
  readonly connections: OpenConnections;
  /** Takes no new connection and keeps those there are; resolves when the last one has gone. */
  close(): Promise<void>;
  closeAll(): void;
}

const headerBytesMax = 16 * 1024;
const parserOptions: ServerOptions = {
  maxHeaderSize: headerBytesMax,
  // Two timers for each request would do what one for each connection does: it may be silent for `silentMsMax`.
  keepAliveTimeout: 0,
  insecureHTTPParser: false,
  // Most requests have no body, and a stream that never had anything costs more than it looks.
  optimizeEmptyRequests: true,
  // Checked in the chain, which answers with a Status; node would answer with nothing.
  requireHostHeader: false,
  // Whoever asks for another protocol, such as h2c, is answered in this one.
  shouldUpgradeCallback: asksForWebSocket,
};

/** Looked at a few times within each. */
function patienceOf({ headMsMax, bodyMsMax }: ListenerOptions): ServerOptions {
  const connectionsCheckingInterval = Math.ceil(Math.min(headMsMax, bodyMsMax) / 3);
  return { headersTimeout: headMsMax, requestTimeout: bodyMsMax, connectionsCheckingInterval };
}

export async function listen(options: ListenerOptions): Promise<Listener> {
  const { tls, host, serve, tlsPolicy: policy = tlsPolicy(), contextFor } = options;
  const SNICallback: TlsOptions['SNICallback'] = (servername, answer) => answer(null, contextFor?.(servername));
  const parsing = { ...parserOptions, ...patienceOf(options) };
  const server =
    tls === undefined
      ? createHttpServer(parsing)
      : createHttpsServer({
          ...parsing,
          handshakeTimeout: options.headMsMax,
          ...secureOptions(tls, policy),
          ...clientOptions,
          SNICallback,
          ALPNProtocols: ['http/1.1'],
        });
  // Who does not read what was answered would have it kept in memory for ever; what is taken slowly but steadily goes on.
  server.timeout = options.silentMsMax;
  server.maxHeadersCount = headersMax + 1;
  server.maxConnections = options.connectionsMax;
  // Before anything is kept for it, such as the state of a handshake.
  server.prependListener('connection', (socket: Socket) => options.addresses.take(socket));
  // Its session may be resumed though nothing was asked over it, and the authorities that were sent along are there now only.
  server.on('secureConnection', (socket: TLSSocket) => void (socket.authorized && readCertificate(socket)));
  server.on('request', (request: IncomingMessage, response: ServerResponse) => serve(request, response, false));
  server.on('checkContinue', (request: IncomingMessage, response: ServerResponse) => serve(request, response, true));
  server.on('checkExpectation', (request: IncomingMessage, response: ServerResponse) => serve(request, response, false));
  server.on('upgrade', options.upgrade);
  server.on('clientError', refuseUnparsable);
  // Nothing that is answered to a handshake that failed would ever be sent.
  server.on('tlsClientError', (_: Error, socket: Socket) => socket.destroy());
  const connections = new OpenConnections(server, tls !== undefined, options.closed);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port, host, () => {
      server.off('error', reject).on('error', options.failed);
      resolve();
    });
  });
  const port = portOf(server);
  return {
    url: `${tls === undefined ? 'http' : 'https'}://${host.includes(':') ? `[${host}]` : host}:${port}`,
    port,
    connections,
    renew: (material) => {
      if ('setSecureContext' in server) (server as HttpsServer).setSecureContext(secureOptions(material, policy));
    },
    // The server's own close would cut off connections that are idle now, on which a request may be on its way.
    close: () => new Promise((resolve) => void NetServer.prototype.close.call(server, () => resolve())),
    closeAll: () => {
      connections.destroyAll();
      // Ends the server's own checks; it listens no more.
      server.close();
    },
  };
}

/** Every client is asked for a certificate; one that cannot be verified is as good as none. */
const clientOptions = { requestCert: true, rejectUnauthorized: false } as const;

function secureOptions({ certificate, key, clientAuthorities }: TlsMaterial, policy: TlsPolicy): SecureContextOptions {
  return { cert: certificate, key, ...policy, ...(clientAuthorities !== undefined && { ca: clientAuthorities }) };
}

function portOf(server: Server): number {
  const address = server.address();
  if (typeof address !== 'object' || address === null) throw new Error('the listener has no address');
  return address.port;
}

const failures: Readonly<Record<string, readonly [code: number, reason: string, message: string]>> = {
  HPE_HEADER_OVERFLOW: [431, 'RequestHeaderFieldsTooLarge', `the headers are larger than ${headerBytesMax} bytes`],
  ERR_HTTP_REQUEST_TIMEOUT: [408, 'Timeout', 'the request did not arrive in time'],
};

/** Whoever has a certificate that cannot be read is nobody, and brings nothing down. */
function readCertificate(socket: TLSSocket): void {
  try {
    verifiedCertificate(socket);
  } catch {
    socket.destroy();
  }
}

/** What the parser refuses never becomes a request; it is answered in the same form as everything else. */
function refuseUnparsable(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const [code, reason, message] = failures[error.code ?? ''] ?? [400, 'BadRequest', 'the request is not HTTP/1.1 as it should be'];
  const body = JSON.stringify({ kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', message, reason, code });
  socket.end(
    `HTTP/1.1 ${code} ${STATUS_CODES[code] ?? ''}\r\nConnection: close\r\nContent-Type: application/json\r\n` +
      `X-Content-Type-Options: nosniff\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
}
