import type { TlsMaterial } from './certificates/certificates.js';

/** How long a stop takes its time, milliseconds. */
export interface StopOptions {
  readonly announceMs?: number;
  readonly lingerMs?: number;
}

/** The API as those see it who run it. */
export interface ApiServer {
  /**
   * Everything that is served: paths and patterns, `METHOD path` of plugins' routes, `UPGRADE path` of what is spoken over WebSockets and
   * `ROOM topic` of its rooms; so that tests can say that they know it all.
   */
  paths(): readonly string[];
  listen(): Promise<{ readonly url: string; readonly port: number }>;
  /** Closes the open streams of a credential that is no longer good. */
  endStreams(credentialId: string): void;
  /** Takes a renewed certificate; connections that are open keep theirs. */
  renew(tls: TlsMaterial): void;
  /** Verifies client certificates of these authorities (PEM) from now on; connections that are open keep what was found. */
  trustClients(authorities: string): void;
  /**
   * Not ready, no new connections, running requests finish, watches end with a bookmark, and no answer that was begun is cut: each
   * connection ends when all that was answered on it has gone out and nothing more comes in, for `stopMsMax` at most.
   *
   * For `announceMs` (default 0) it is only not ready, and takes connections as ever, so that load balancers can look elsewhere first. For
   * `lingerMs` (default 0) connections that are there are served on and told to close with their next answer, so that a client which keeps
   * one in use never finds it cut.
   */
  close(options?: StopOptions): Promise<void>;
}
