import type { ClusterConnection } from '@tappaas/sdk';
import type { Pool } from 'undici';
import { clusterErrors } from './errors.js';

/** How to reach an API server: the SDK's fields and those that only a kubeconfig has. */
export interface Connection extends ClusterConnection {
  /** A complete Authorization header, instead of `token`. */
  readonly authorization?: string;
  /** Expected name in the server's certificate, if it is not the host of the URL. */
  readonly serverName?: string;
  /** Disables verification of the server. Only for an operator's kubeconfig that says so. */
  readonly insecure?: boolean;
}

/** An open connection to a server: short requests share few sockets, every stream has its own. */
export interface OpenConnection {
  readonly basePath: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly requests: Pool;
  readonly streams: Pool;
}

export interface ConnectionLimits {
  /** Sockets for requests. */
  readonly connectionsMax: number;
  /** Maximum number of concurrent watches and logs. */
  readonly streamsMax: number;
}

/** Idle time until TCP keep-alive probes are sent, ten of them within ten seconds. */
const keepAliveProbeAfterMs = 10_000;
const connectMs = 10_000;
/** Idle sockets are closed soon, so that few of them can be dead without notice. */
const idleMs = 10_000;

/** Loads the HTTP library with the first connection. */
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
  // Deadlines and silence are measured with the platform's clock, so the library's own timers are disabled.
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
 * The connection in use, created on demand, and again after it was found to be wrong (credentials, certificate, address).
 *
 * Requests on a discarded connection finish undisturbed.
 */
export class ConnectionHolder {
  readonly #connect: (signal: AbortSignal) => Promise<Connection>;
  readonly #limits: ConnectionLimits;
  readonly #stop = new AbortController();
  #opening: Promise<OpenConnection> | undefined;
  #open: OpenConnection | undefined;

  constructor(connect: (signal: AbortSignal) => Promise<Connection>, limits: ConnectionLimits) {
    this.#connect = connect;
    this.#limits = limits;
  }

  current(): Promise<OpenConnection> {
    if (this.#stop.signal.aborted) return Promise.reject(this.#stop.signal.reason as Error);
    if (this.#opening === undefined) {
      this.#opening = this.#make();
      this.#opening.catch(() => (this.#opening = undefined));
    }
    return this.#opening;
  }

  discard(connection: OpenConnection): void {
    if (this.#open !== connection) return;
    this.#open = undefined;
    this.#opening = undefined;
    connection.requests.close().catch(() => {});
    connection.streams.close().catch(() => {});
  }

  /** Aborts everything in flight. */
  async close(): Promise<void> {
    const closed = clusterErrors.TAP_CLUSTER_CLOSED({ message: 'the client of the cluster was closed' });
    this.#stop.abort(closed);
    const open = this.#open;
    this.#open = undefined;
    if (open) await Promise.all([open.requests.destroy(closed), open.streams.destroy(closed)]);
  }

  async #make(): Promise<OpenConnection> {
    const connection = await this.#connect(this.#stop.signal);
    const open = await openConnection(connection, this.#limits);
    if (this.#stop.signal.aborted) {
      await Promise.all([open.requests.close(), open.streams.close()]);
      throw this.#stop.signal.reason;
    }
    this.#open = open;
    return open;
  }
}
