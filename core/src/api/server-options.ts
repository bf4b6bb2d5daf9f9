import type { SecureContext } from 'node:tls';
import type { Caller, Clock, Logger } from '@tappaas/sdk';
import type { Places } from './connection/address-seats.js';
import type { TlsMaterial } from './certificates/certificates.js';
import type { ReadyCheck, ServedAction, ServedField, ServedRoute, ServedSubresource, TableFor } from './contributions.js';
import type { Cors } from './cors.js';
import type { EnginePort, ServedKind } from '../ports/engine.js';
import type { GraphqlParts, GraphqlSettings } from './graphql/ports.js';
import type { PublishedKeys } from './published-keys.js';
import type { SocketOptions } from './socket/socket-server.js';
import type { Audit } from '../ports/audit.js';
import type { RequestTracing } from '../ports/tracing.js';
import type { AdmitFlow, Authenticate, Authorize } from './stages.js';
import type { AuditReader } from './system-routes.js';
import type { TlsPolicy } from './connection/tls-policy.js';
import type { ServedUpgrade } from './upgrade/upgrade.js';

/** Everything that the API depends on; other subsystems are passed as functions, so that each can be replaced. */
export interface ApiServerOptions {
  /** By name; `platform` is served at the root, all others under `/clusters/{name}`. */
  readonly engines: () => ReadonlyMap<string, EnginePort>;
  readonly authenticate: Authenticate;
  readonly authorize: Authorize;
  readonly flow: AdmitFlow;
  readonly audit: Audit;
  /** Default: no tracing. */
  readonly tracing?: RequestTracing;
  readonly tableFor: TableFor;
  readonly routes: () => readonly ServedRoute[];
  readonly actions: () => readonly ServedAction[];
  readonly subresources: () => readonly ServedSubresource[];
  /** Handlers of WebSockets, besides the watches of objects. */
  readonly upgrades?: () => readonly ServedUpgrade[];
  /** Capacity per address, of `connectionsPerAddressMax` places; default: local to this process. */
  readonly addressPlaces?: (holder: string) => Places;
  /** Connects the sockets of several processes. */
  readonly socketAdapter?: SocketOptions['adapter'];
  readonly fields: () => readonly ServedField[];
  /** Default: no introspection, all documents allowed. */
  readonly graphql?: GraphqlSettings;
  /** Finds the cluster's namespace for a namespace of the platform. Default: the same name. */
  readonly clusterNamespace?: GraphqlParts['clusterNamespace'];
  /** Scheduling decisions about pods. Default: none known. */
  readonly placements?: GraphqlParts['placements'];
  /** Absent: plain HTTP. */
  readonly tls?: TlsMaterial;
  /** TLS versions and ciphers. Default: 1.2 or newer, with forward secrecy and authenticated encryption. */
  readonly tlsPolicy?: TlsPolicy;
  /**
   * Sends Strict-Transport-Security with answers of plugins' routes, where browsers log in. Only for certificates that browsers trust: a
   * host that only our own authority certifies, such as localhost, also serves other things over plain HTTP. Default: false.
   */
  readonly strictTransport?: boolean;
  /** Returns another certificate for a server name (SNI). */
  readonly contextFor?: (servername: string) => SecureContext | undefined;
  readonly host: string;
  /** 0 picks a free port. */
  readonly port: number;
  readonly cors?: Cors;
  readonly log: Logger;
  readonly clock: Clock;
  /** Returns a number between 0 and 1. */
  readonly random: () => number;
  /** Names this replica in request ids. */
  readonly replica: string;
  readonly version: string;
  readonly ready: () => readonly ReadyCheck[];
  /** Public keys that verify the platform's tokens. Default: it signs none. */
  readonly publishedKeys?: () => PublishedKeys | undefined;
  /** The metrics page. */
  readonly metrics: () => string | Promise<string>;
  /** Identifies the metrics of the page where several processes serve the same one. Default: the replica. */
  readonly metricsOf?: string;
  /** Called for each request for a deprecated version, to count its callers. */
  readonly deprecatedUse?: (kind: ServedKind, caller: Caller) => void;
  /** Absent: the audit log cannot be read back. */
  readonly auditReader?: AuditReader;
  readonly limits?: Partial<ApiLimits>;
}

/** Bounds of the listener; each has a default. */
export interface ApiLimits {
  readonly requestMsMax: number;
  readonly connectionsMax: number;
  readonly connectionsPerAddressMax: number;
  readonly strangersPerMinuteMax: number;
  readonly headMsMax: number;
  readonly bodyMsMax: number;
  readonly silentMsMax: number;
  readonly drainMsMax: number;
  readonly stopMsMax: number;
}

export const defaultLimits: ApiLimits = {
  requestMsMax: 60_000,
  connectionsMax: 10_000,
  connectionsPerAddressMax: 2_500,
  strangersPerMinuteMax: 600,
  headMsMax: 15_000,
  bodyMsMax: 60_000,
  // Longer than requestMsMax.
  silentMsMax: 90_000,
  drainMsMax: 30_000,
  stopMsMax: 5_000,
};
