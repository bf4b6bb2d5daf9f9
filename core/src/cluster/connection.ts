import type { ClusterConnection } from '@tappaas/sdk';
import type { Pool } from 'undici';
import { clusterErrors } from './errors.js';

/** How to reach an API server, with what a kubeconfig may say beyond the SDK's fields. */
export interface Connection extends ClusterConnection {
  /** A whole Authorization header, instead of `token`. */
  readonly authorization?: string;
  /** The name the server's certificate must have, when it is not that of the URL. */
  readonly serverName?: string;
  /** Trusts whatever answers. Only where an operator's kubeconfig says so. */
  readonly insecure?: boolean;
}

/** An open way to a server: short requests share few connections, every stream has its own. */
export interface OpenConnection {
  readonly basePath: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly requests: Pool;
  readonly streams: Pool;
}

export interface ConnectionLimits {
  /** Connections for requests. */
  readonly connectionsMax: number;
  /** Watches and logs at once. */
  readonly streamsMax: number;
}

/** After this long without a packet the kernel asks the peer for a sign of life, ten times within ten seconds. */
const keepAliveProbeAfterMs = 10_000;
const connectMs = 10_000;
/** An idle connection is dropped soon, so that few of them can have died unnoticed. */
const idleMs = 10_000;

/** The library is loaded with the first connection. */
async function openConnection(connection: Connection, limits: ConnectionLimits): Promise<OpenConnection> {
  const { Pool } = await import('undici');
  const url = serverUrl(connection);
  const authorization = connection.authorization ?? (connection.token === undefined ? undefined : `Bearer ${connection.token}`);
  const connect = {
    timeout: connectMs,
    keepAlive: true,
    keepAliveInitialDelay: keepAliveProbeAfterMs,
    ...(connection.certificateAuthority === undefined ? {} : { ca: connection.certificateAuthority }),
    ...(connection.clientCertificate && { cert: connection.clientCertificate.certificate, key: connection.clientCertificate.key }),
    ...(connection.serverName === undefined ? {} : { servername: connection.serverName }),
    ...(connection.insecure === true ? { rejectUnauthorized: false } : {}),
  };
  // Deadlines and silence are measured on the platform's clock, so the library's own timers are off.
  const common = { connect, pipelining: 1, keepAliveTimeout: idleMs, headersTimeout: 0, bodyTimeout: 0, allowH2: false };
  return {
    basePath: url.pathname.replace(/\/+$/, ''),
    headers: authorization === undefined ? {} : { authorization },
    requests: new Pool(url.origin, { ...common, connections: limits.connectionsMax }),
    streams: new Pool(url.origin, { ...common, connections: limits.streamsMax }),
  };
}

function serverUrl({ server }: Connection): URL {
  const url = URL.canParse(server) ? new URL(server) : undefined;
  if (url?.protocol === 'https:' || url?.protocol === 'http:') return url;
  throw clusterErrors.TAP_CLUSTER_KUBECONFIG({ message: `the server of a cluster must be an http or https URL, found "${server}"` });
}

/**
 * The connection in use, made when first needed and again after it was found wrong (credentials, certificate, address).
 *
 * Whoever still uses a discarded connection ends undisturbed.
 */
export class ConnectionHolder {
  private readonly connect: (signal: AbortSignal) => Promise<Connection>;
  private readonly limits: ConnectionLimits;
  private readonly stop = new AbortController();
  private opening: Promise<OpenConnection> | undefined;
  private open: OpenConnection | undefined;

  constructor(connect: (signal: AbortSignal) => Promise<Connection>, limits: ConnectionLimits) {
    this.connect = connect;
    this.limits = limits;
  }

  current(): Promise<OpenConnection> {
    if (this.stop.signal.aborted) return Promise.reject(this.stop.signal.reason as Error);
    if (this.opening === undefined) {
      this.opening = this.make();
      this.opening.catch(() => (this.opening = undefined));
    }
    return this.opening;
  }

  discard(connection: OpenConnection): void {
    if (this.open !== connection) return;
    this.open = undefined;
    this.opening = undefined;
    connection.requests.close().catch(() => {});
    connection.streams.close().catch(() => {});
  }

  /** Ends everything that is under way. */
  async close(): Promise<void> {
    const closed = clusterErrors.TAP_CLUSTER_CLOSED({ message: 'the client of the cluster was closed' });
    this.stop.abort(closed);
    const open = this.open;
    this.open = undefined;
    if (open) await Promise.all([open.requests.destroy(closed), open.streams.destroy(closed)]);
  }

  private async make(): Promise<OpenConnection> {
    const connection = await this.connect(this.stop.signal);
    const open = await openConnection(connection, this.limits);
    if (this.stop.signal.aborted) {
      await Promise.all([open.requests.close(), open.streams.close()]);
      throw this.stop.signal.reason;
    }
    this.open = open;
    return open;
  }
}
