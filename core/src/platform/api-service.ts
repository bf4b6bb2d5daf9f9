import { resolve } from 'node:path';
import { families, platformEngine } from '@tappaas/sdk';
import type { Places } from '../api/connection/address-seats.js';
import { certificateCheck, warnOfExpiry } from '../api/certificates/certificate-expiry.js';
import type { LocalCertificates } from '../api/certificates/certificates.js';
import type { GraphqlSettings } from '../api/graphql/ports.js';
import type { ApiServer } from '../api/api-server.js';
import type { ReadyCheck } from '../api/contributions.js';
import { createApiServer } from '../api/server.js';
import { TlsFilesCertificate } from '../api/connection/tls-files.js';
import { tlsPolicy } from '../api/connection/tls-policy.js';
import { callerTraces } from './served/caller-traces.js';
import { createRequestTracing } from '../telemetry/traces/request-tracing.js';
import type { Allowances } from '../flow/bucket.js';
import { createFlow } from '../flow/flow.js';
import { ClientAuthorities } from './access/client-authorities.js';
import { contributionsOf, type Contributions } from './served/contributions.js';
import { namespacesOfClusters } from './clusters/cluster-namespaces.js';
import { countDeprecated } from './served/deprecated-use.js';
import { platformErrors } from './errors.js';
import type { Foundation } from './foundation.js';
import { graphqlSettings } from './graphql-settings.js';
import { createLongActions, type LongActions } from './operations/long-actions.js';
import type { PlatformActions } from './platform-actions.js';
import { platformRoutes } from './served/routes.js';
import { countRequests } from './audit/request-counts.js';
import { ownLimitsMsMax, type Starting } from './starting.js';
import { storeCheck } from './store-readiness.js';
import { tableColumns } from './served/table-columns.js';
import { tenantRates } from './served/tenant-rates.js';

/** Where the API listens, and the parts that the process shares with others. */
export interface ApiPlace {
  readonly host: string;
  readonly port: number;
  readonly certificates: LocalCertificates;
  readonly actions: PlatformActions;
  /** Reports revoked credentials to the other processes of the platform. */
  readonly spreadRevoked: (credentialIds: readonly string[]) => Promise<void>;
  readonly metrics: () => Promise<string>;
  /** This process's share of the platform's limits; default: all of it. */
  readonly allowances?: Allowances;
  /** Identifies the processes covered by this page of metrics. */
  readonly metricsOf: string;
}

/** Data that is loaded before the server is made. */
interface Prepared {
  readonly graphql: GraphqlSettings;
  /** The operator's own certificate. */
  readonly named: TlsFilesCertificate | undefined;
}

/** The listening API on a foundation; contributions of plugins follow their generations. */
export class ApiService {
  readonly server: ApiServer;
  readonly #starting: Starting;
  readonly #foundation: Foundation;
  readonly #longActions: LongActions;
  readonly #clientAuthorities: ClientAuthorities;
  #contributions: Contributions;

  private constructor(starting: Starting, foundation: Foundation, place: ApiPlace, prepared: Prepared) {
    this.#starting = starting;
    this.#foundation = foundation;
    this.#longActions = startLongActions(starting, foundation);
    this.#contributions = this.#contributed();
    this.server = this.#server(place, prepared);
    const { clock, log } = starting.options;
    const { identity } = foundation;
    const current = () => `${identity.processes.authority}\n${identity.clientAuthorities()}`;
    const servers = prepared.named === undefined ? [this.server] : [this.server, prepared.named];
    this.#clientAuthorities = new ClientAuthorities({ servers, current, clock, log });
  }

  /** Makes the server and listens. @throws TAP_API_PORT_TAKEN, or any other error of listening */
  static async start(starting: Starting, foundation: Foundation, place: ApiPlace): Promise<ApiService & { readonly port: number }> {
    const { settings, identity, onRevoked } = foundation;
    const { directory } = starting.options;
    const named = await ownCertificate(starting, foundation);
    const service = new ApiService(starting, foundation, place, { graphql: await graphqlSettings(settings, directory), named });
    const { server } = service;
    identity.processes.trust(place.certificates.authority);
    const { port } = await server.listen().catch((error: unknown) => portTaken(error, place));
    starting.onStop({ what: 'api', stop: () => server.close({ announceMs: settings.announceStopMs }), limitMs: ownLimitsMsMax });
    onRevoked(async (credentialIds) => {
      service.revoke(credentialIds);
      await place.spreadRevoked(credentialIds);
    });
    void service.#clientAuthorities.follow(starting.signal);
    return Object.assign(service, { port });
  }

  renew(next: LocalCertificates): void {
    this.server.renew(next.tls);
    this.#foundation.identity.processes.trust(next.authority);
  }

  /** Drops revoked credentials and ends their streams. */
  revoke(credentialIds: readonly string[]): void {
    this.#foundation.identity.revoke(credentialIds);
    for (const id of credentialIds) this.server.endStreams(id);
  }

  /** Follows reloads, which swap hooks automatically: updates kinds and routes, then calls `others`, before replaced instances stop. */
  follow(others: () => Promise<void>): void {
    const { kernel, engines, identity, audit } = this.#foundation;
    const leave = kernel.onGeneration(async (registrations) => {
      await engines.follow(registrations);
      this.#contributions = this.#contributed();
      await audit.follow();
      identity.follow();
      this.#clientAuthorities.look();
      await others();
    });
    this.#starting.onStop({ what: 'generations', stop: async () => leave() });
  }

  #server(place: ApiPlace, { graphql, named }: Prepared): ApiServer {
    const { kernel, settings, engines, identity, access, audit, tokens } = this.#foundation;
    const { clock, random, log, version } = this.#starting.options;
    const mayAsk = callerTraces(settings.askedTracesPerSecond, clock);
    const own = platformRoutes({ kernel, engines, access, actions: place.actions });
    return createApiServer({
      engines: () => engines.all,
      authenticate: identity.authenticate,
      authorize: access.authorize,
      flow: createFlow({
        settings: settings.flow,
        clock,
        rateOf: tenantRates(engines),
        ...(place.allowances !== undefined && { allowances: place.allowances }),
      }),
      tracing: createRequestTracing({ tracing: kernel.tracing, share: settings.tracedShare, mayAsk, random }),
      audit: countRequests(kernel, audit.stage),
      auditReader: audit,
      tableFor: tableColumns(clock),
      routes: () => [...own, ...this.#contributions.routes],
      actions: () => this.#contributions.actions,
      subresources: () => this.#contributions.subresources,
      fields: () => this.#contributions.fields,
      upgrades: () => this.#contributions.upgrades,
      graphql,
      clusterNamespace: namespacesOfClusters(kernel.services.family(families.cluster), () => engines.all),
      placements: place.actions.decisions,
      tls: place.certificates.tls,
      tlsPolicy: tlsPolicy(settings.tls),
      strictTransport: named !== undefined,
      ...(named !== undefined && { contextFor: (servername: string) => named.contextFor(servername) }),
      host: place.host,
      port: place.port,
      cors: { origins: settings.origins },
      ...(place.allowances !== undefined && { addressPlaces: addressPlaces(place.allowances, settings.connectionsPerAddressMax) }),
      limits: {
        connectionsMax: settings.connectionsMax,
        connectionsPerAddressMax: settings.connectionsPerAddressMax,
        strangersPerMinuteMax: settings.strangersPerMinuteMax,
      },
      log,
      clock,
      random,
      replica: this.#starting.replica,
      version,
      ready: this.#readyChecks(named),
      publishedKeys: () => tokens.published(),
      metrics: place.metrics,
      metricsOf: place.metricsOf,
      deprecatedUse: countDeprecated(kernel),
      socketAdapter: async () => {
        const [first] = kernel.services.family(families.socketAdapter).values();
        return first?.open();
      },
    });
  }

  #readyChecks(named: TlsFilesCertificate | undefined): () => readonly ReadyCheck[] {
    const { kernel, store, audit } = this.#foundation;
    return () => [
      { name: 'plugins', check: () => kernel.plugins().every(({ phase }) => phase !== 'starting') },
      storeCheck(store),
      { name: 'audit', check: audit.isReady },
      ...(named === undefined ? [] : [certificateCheck(named.expiring, this.#starting.options.clock)]),
    ];
  }

  #contributed(): Contributions {
    const { kernel, engines } = this.#foundation;
    return contributionsOf({
      clock: this.#starting.options.clock,
      registrations: kernel.registrations(),
      engine: (name) => engines.of(name),
      object: (kind, key) => engines.asPlatform(platformEngine).get(kind, key),
      asCaller: (engine, { caller, requestId, signal }) => engines.asCaller(engine, caller, requestId, signal),
      longActions: this.#longActions,
    });
  }
}

function startLongActions(starting: Starting, { engines }: Foundation): LongActions {
  const { clock, log } = starting.options;
  const longActions = createLongActions({ resources: engines.asPlatform(platformEngine), clock, log, replica: starting.replica });
  starting.onStop({ what: 'long actions', stop: () => longActions.stop() });
  void longActions
    .closeInterrupted()
    .catch((error: unknown) => log.warn('operations that the last stop or crash interrupted could not be closed', { error }));
  return longActions;
}

/** Loads the operator's own certificate and follows its files while the platform runs. */
async function ownCertificate(starting: Starting, { kernel, settings: { tls } }: Foundation): Promise<TlsFilesCertificate | undefined> {
  if (tls.certificate === '' && tls.key === '') return undefined;
  const { clock, log, directory } = starting.options;
  const files = { certificate: resolve(directory, tls.certificate), key: resolve(directory, tls.key) };
  const named = await TlsFilesCertificate.open({ files, policy: tlsPolicy(tls), clock, log });
  void named.follow(starting.signal);
  void warnOfExpiry(named.expiring, clock, log, starting.signal);
  const help = "Seconds until the operator's certificate of the API expires.";
  const expires = kernel.metrics.gauge({ name: 'tappaas_api_certificate_expires_seconds', help }).bind({});
  const leave = kernel.metrics.onCollect(() => expires.set((named.expiring.notAfterMs() - clock.nowMs()) / 1000));
  starting.onStop({ what: 'certificate metric', stop: async () => leave() });
  return named;
}

/** Limits connections per address across all processes. */
function addressPlaces(allowances: Allowances, max: number): (holder: string) => Places {
  return (holder) => allowances.seats(`address ${holder}`, max, false);
}

/** @throws TAP_API_PORT_TAKEN, or the original error of listening */
function portTaken(error: unknown, { host, port }: ApiPlace): never {
  if (!(error instanceof Error) || !('code' in error) || error.code !== 'EADDRINUSE') throw error;
  throw platformErrors.TAP_API_PORT_TAKEN({
    message: `port ${port} on ${host}, where the API listens, is taken by another program (api.port)`,
    field: 'api.port',
    cause: error,
  });
}
