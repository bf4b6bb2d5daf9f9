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
import { requestsWebSocket } from '../upgrade/upgrade-handshake.js';

/** Options of a listener. Without `tls` it speaks plain HTTP, for benchmarks and behind a TLS-terminating proxy on the same machine. */
export interface ListenerOptions {
  readonly host: string;
  /** 0 picks a free port. */
  readonly port: number;
  readonly tls?: TlsMaterial;
  /** TLS versions and ciphers. Default: 1.2 or newer, with forward secrecy and authenticated encryption. */
  readonly tlsPolicy?: TlsPolicy;
  /** Returns another certificate for a server name (SNI). */
  readonly contextFor?: (servername: string) => SecureContext | undefined;
  readonly connectionsMax: number;
  readonly addresses: AddressSeats;
  /** Maximum time for the headers of a request to arrive, and (`bodyMsMax`) for the whole request. */
  readonly headMsMax: number;
  readonly bodyMsMax: number;
  /** Maximum time without traffic on a connection, unless it carries a stream. */
  readonly silentMsMax: number;
  /** `awaitsContinue`: the client sends its body only after `100 Continue`. */
  readonly serve: (request: IncomingMessage, response: ServerResponse, awaitsContinue: boolean) => void;
  /** Called when a client asks for a WebSocket; from then on the handler owns the socket. */
  readonly upgrade: (request: IncomingMessage, socket: Duplex, head: Buffer) => void;
  /** Called when a connection has ended, whether or not all its requests were answered. */
  readonly closed: (socket: Socket) => void;
  /** Called on errors that do not stop the listener, such as running out of file descriptors. */
  readonly failed: (error: Error) => void;
}

export interface Listener {
  readonly url: string;
  readonly port: number;
  renew(tls: TlsMaterial): void;
  readonly connections: OpenConnections;
  /** Accepts no new connections; resolves when the last existing one has closed. */
  close(): Promise<void>;
  closeAll(): void;
}

const headerBytesMax = 16 * 1024;
const parserOptions: ServerOptions = {
  maxHeaderSize: headerBytesMax,
  // One timer per connection (silentMsMax) is enough; Node would set two per request.
  keepAliveTimeout: 0,
  insecureHTTPParser: false,
  // Most requests have no body, and an unused request stream is costly.
  optimizeEmptyRequests: true,
  // The chain checks the Host header and answers with a Status; Node would send an empty answer.
  requireHostHeader: false,
  // Requests to upgrade to any other protocol, such as h2c, are answered over HTTP/1.1.
  shouldUpgradeCallback: requestsWebSocket,
};

/** Returns the timeouts of Node's server, which checks them about three times within the shorter one. */
function timeoutsOf({ headMsMax, bodyMsMax }: ListenerOptions): ServerOptions {
  const connectionsCheckingInterval = Math.ceil(Math.min(headMsMax, bodyMsMax) / 3);
  return { headersTimeout: headMsMax, requestTimeout: bodyMsMax, connectionsCheckingInterval };
}

export async function listen(options: ListenerOptions): Promise<Listener> {
  const { tls, host, serve, tlsPolicy: policy = tlsPolicy(), contextFor } = options;
  const SNICallback: TlsOptions['SNICallback'] = (servername, answer) => answer(null, contextFor?.(servername));
  const parsing = { ...parserOptions, ...timeoutsOf(options) };
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
  // A client that reads nothing would keep its answer in memory forever; one that reads slowly but steadily is not cut off.
  server.timeout = options.silentMsMax;
  server.maxHeadersCount = headersMax + 1;
  server.maxConnections = options.connectionsMax;
  // First of all listeners, before any state is allocated for the connection, such as that of the handshake.
  server.prependListener('connection', (socket: Socket) => options.addresses.take(socket));
  // Read now, because only a full handshake has the intermediate authorities; the session may be resumed before any request is sent.
  server.on('secureConnection', (socket: TLSSocket) => void (socket.authorized && readCertificate(socket)));
  server.on('request', (request: IncomingMessage, response: ServerResponse) => serve(request, response, false));
  server.on('checkContinue', (request: IncomingMessage, response: ServerResponse) => serve(request, response, true));
  server.on('checkExpectation', (request: IncomingMessage, response: ServerResponse) => serve(request, response, false));
  server.on('upgrade', options.upgrade);
  server.on('clientError', refuseUnparsable);
  // After a failed handshake no answer could be sent.
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
    // The server's own close would cut idle connections, on which a request may be on its way.
    close: () => new Promise((resolve) => void NetServer.prototype.close.call(server, () => resolve())),
    closeAll: () => {
      connections.destroyAll();
      // Stops the server's periodic timeout checks; it is no longer listening.
      server.close();
    },
  };
}

/** Every client is asked for a certificate; one that cannot be verified counts as none. */
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

/** Reads a verified certificate; one that cannot be parsed ends its connection instead of crashing the process. */
function readCertificate(socket: TLSSocket): void {
  try {
    verifiedCertificate(socket);
  } catch {
    socket.destroy();
  }
}

/** Answers requests that the parser rejects, and that never reach the chain, with a Status as all other errors. */
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
