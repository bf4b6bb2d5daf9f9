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

/** Everything the API is made of; neighbours come as functions, so that each can be replaced. */
export interface ApiServerOptions {
  /** By name; `platform` is served at the root, every other one under `/clusters/{name}`. */
  readonly engines: () => ReadonlyMap<string, EnginePort>;
  readonly authenticate: Authenticate;
  readonly authorize: Authorize;
  readonly flow: AdmitFlow;
  readonly audit: Audit;
  /** Default: nobody listens. */
  readonly tracing?: RequestTracing;
  readonly tableFor: TableFor;
  readonly routes: () => readonly ServedRoute[];
  readonly actions: () => readonly ServedAction[];
  readonly subresources: () => readonly ServedSubresource[];
  /** Who answers WebSockets, besides the watches of objects. */
  readonly upgrades?: () => readonly ServedUpgrade[];
  /** Places of an address, `connectionsPerAddressMax` of them; default: this process's own. */
  readonly addressPlaces?: (holder: string) => Places;
  /** Joins the sockets of several processes. */
  readonly socketAdapter?: SocketOptions['adapter'];
  readonly fields: () => readonly ServedField[];
  /** Default: no introspection, every document. */
  readonly graphql?: GraphqlSettings;
  /** Where the objects of a namespace are on a cluster. Default: in one of the same name. */
  readonly clusterNamespace?: GraphqlParts['clusterNamespace'];
  /** Where pods run, and why. Default: nothing is known of that. */
  readonly placements?: GraphqlParts['placements'];
  /** Absent: plain http. */
  readonly tls?: TlsMaterial;
  /** Which TLS is spoken. Default: 1.2 or newer, with forward secrecy and authenticated encryption. */
  readonly tlsPolicy?: TlsPolicy;
  /**
   * Answers of plugins' routes, where browsers log in, tell them to come by TLS only. For certificates that browsers know: a host that is
   * only known by our own authority, such as localhost, serves other things over plain http. Default: false.
   */
  readonly strictTransport?: boolean;
  /** Another certificate for clients that ask for this name. */
  readonly contextFor?: (servername: string) => SecureContext | undefined;
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  readonly cors?: Cors;
  readonly log: Logger;
  readonly clock: Clock;
  /** Between 0 and 1. */
  readonly random: () => number;
  /** Names this replica in request ids. */
  readonly replica: string;
  readonly version: string;
  readonly ready: () => readonly ReadyCheck[];
  /** Public keys that tokens of the platform are verified with. Default: it signs none. */
  readonly publishedKeys?: () => PublishedKeys | undefined;
  /** The metrics page. */
  readonly metrics: () => string | Promise<string>;
  /** Whose metrics that page has, where several processes serve the same one. Default: the replica's. */
  readonly metricsOf?: string;
  /** Told of every request for a deprecated version, to count who still asks for it. */
  readonly deprecatedUse?: (kind: ServedKind, caller: Caller) => void;
  /** Absent: there is no audit log to ask. */
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
  // Longer than a request may be worked on.
  silentMsMax: 90_000,
  drainMsMax: 30_000,
  stopMsMax: 5_000,
};
