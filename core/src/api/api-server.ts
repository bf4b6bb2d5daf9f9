import type { TlsMaterial } from './certificates/certificates.js';

/** Durations of the phases of a shutdown, in milliseconds. */
export interface StopOptions {
  readonly announceMs?: number;
  readonly lingerMs?: number;
}

/** The API server, as the process that runs it sees it. */
export interface ApiServer {
  /**
   * Lists everything that is served: paths and patterns, `METHOD path` of plugins' routes, `UPGRADE path` of WebSockets and `ROOM topic` of
   * rooms. Tests use it to prove that they cover everything.
   */
  paths(): readonly string[];
  listen(): Promise<{ readonly url: string; readonly port: number }>;
  /** Ends the open streams of a revoked credential. */
  endStreams(credentialId: string): void;
  /** Uses a renewed certificate for new connections. */
  renew(tls: TlsMaterial): void;
  /** Verifies client certificates of new connections against these authorities (PEM). */
  trustClients(authorities: string): void;
  /**
   * Shuts down in order: not ready, no new connections, running requests finish, watches end with a bookmark. A connection is closed once
   * its answers are sent and nothing more arrives, after `stopMsMax` at most; no answer in progress is cut off before that.
   *
   * For the first `announceMs` (default 0) it is not ready but accepts connections, so that load balancers can react. For the next
   * `lingerMs` (default 0) existing connections are still served, and each answer asks the client to close, so that a connection in use is
   * never cut off.
   */
  close(options?: StopOptions): Promise<void>;
}
