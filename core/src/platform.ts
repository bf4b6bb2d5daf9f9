import { mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { families, hooks, metricsPage, platformServices, type Clock, type ResourceStore } from '@tappaas/sdk';
import { createAdmission } from './admission/admission.js';
import { certificateCheck, warnOfExpiry } from './api/certificate-expiry.js';
import {
  keepCertificatesFresh,
  localCertificates,
  processCertificate,
  type CertificateOptions,
  type LocalCertificates,
} from './api/certificates.js';
import { writeKubeconfig } from './api/kubeconfig.js';
import { readPrivateFile, writePrivateFile } from './api/private-file.js';
import type { GraphqlSettings } from './api/graphql/ports.js';
import { createApiServer, type ApiServer } from './api/server.js';
import { TlsFilesCertificate } from './api/tls-files.js';
import { tlsPolicy } from './api/tls-policy.js';
import { createFlow } from './flow/flow.js';
import { loadKernel, type Kernel, type KernelOptions } from './kernel/kernel.js';
import { openAudit, type PlatformAudit } from './platform/audit.js';
import { callerIdentity, credentialRegister, type CallerIdentity } from './platform/caller-identity.js';
import { followClientAuthorities } from './platform/client-authorities.js';
import { ClusterAccesses } from './platform/cluster-access.js';
import { startClusterScheduler, type RunningScheduler } from './platform/cluster-scheduler.js';
import { confidentialityOf } from './platform/confidentiality.js';
import { countDeprecated } from './platform/deprecated-use.js';
import { contributionsOf, type Contributions } from './platform/contributions.js';
import { startControllers } from './platform/controllers.js';
import { Engines, platformEngine } from './platform/engines.js';
import { platformErrors } from './platform/errors.js';
import { freePort } from './platform/free-port.js';
import { createLongActions, type LongActions } from './platform/long-actions.js';
import { lateResources } from './platform/late-resources.js';
import { graphqlSettings } from './platform/graphql-settings.js';
import { openInstallation } from './platform/installation.js';
import { platformAccess, type PlatformAccess } from './platform/platform-access.js';
import { writePluginObjects } from './platform/plugin-objects.js';
import { platformActions, type PlatformActions } from './platform/platform-actions.js';
import { PlatformTokens } from './platform/platform-tokens.js';
import { platformRoutes } from './platform/routes.js';
import { platformSections, type ApiSettings } from './platform/settings.js';
import { stopStep, type StopStep } from './platform/stop-step.js';
import { tableColumns } from './platform/table-columns.js';
import { tenantRates } from './platform/tenant-rates.js';
import type { PrimaryCalls, WorkerStart } from './platform/workers/calls.js';
import { mergedMetrics } from './platform/workers/merged-metrics.js';
import type { Peer } from './platform/workers/peer.js';
import { WorkerPool, type WorkerPoolOptions, type WorkerProcess } from './platform/workers/worker-pool.js';
import { createSealer, type Sealer } from './secrets/envelope.js';
import { KeyFile } from './secrets/key-file.js';
import type { Log } from './telemetry/log.js';

export interface PlatformOptions {
  readonly configFile: string;
  /** Directory that relative paths of settings start from. */
  readonly directory: string;
  readonly clock: Clock;
  readonly random: () => number;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly log: Log;
  readonly version: string;
  /** Starts a process that serves the API, for a configuration that asks for some. */
  readonly forkWorker?: () => WorkerProcess;
}

/** What a process that only serves the API has from the platform's own. */
export interface WorkerSeat extends Pick<WorkerStart, 'name' | 'host' | 'port' | 'certificates'> {
  readonly store: ResourceStore;
  readonly primary: Peer<PrimaryCalls>;
}

/** A running worker of the API. */
export interface Worker {
  readonly kernel: Kernel;
  renew(certificates: LocalCertificates): void;
  metrics(): Promise<string>;
  /** Lets go of its connections one by one, then stops. */
  drain(): Promise<void>;
}

/** A running platform. */
export interface Platform {
  readonly url: string;
  readonly kubeconfig: string;
  readonly authorityFile: string;
  /** The administrator's token, only at the first start. */
  readonly firstToken: string | undefined;
  readonly kernel: Kernel;
  readonly engines: Engines;
  /** Everything that the API serves, as paths and patterns. */
  paths(): readonly string[];
  /** Takes over what the configuration says now, in all processes. */
  reload(): Promise<void>;
  stop(): Promise<void>;
}

/** Starts everything in the order in which a request and then a reconcile pass through it; what was started is stopped in reverse. */
export async function startPlatform(options: PlatformOptions): Promise<Platform> {
  const starting = new Start(options);
  try {
    return await starting.run();
  } catch (error) {
    await starting.stop();
    throw error;
  }
}

/** Starts a process that serves the API beside others, over the store of the platform's process. */
export async function startWorker(options: PlatformOptions, seat: WorkerSeat): Promise<Worker> {
  const starting = new Start(options, seat);
  try {
    return await starting.serve(seat);
  } catch (error) {
    await starting.stop();
    throw error;
  }
}

/** Where a server listens, and what of it is not the process's own. */
interface ServerPlace {
  readonly host: string;
  readonly port: number;
  readonly actions: PlatformActions;
  readonly metrics: () => Promise<string>;
}

/** What every process of the platform has. */
interface Foundation {
  readonly kernel: Kernel;
  readonly settings: ApiSettings;
  readonly store: ResourceStore;
  readonly identity: CallerIdentity;
  readonly access: PlatformAccess;
  readonly engines: Engines;
  readonly audit: PlatformAudit;
  readonly graphql: GraphqlSettings;
  /** The operator's own certificate. */
  readonly named: TlsFilesCertificate | undefined;
}

/** The local certificates, and what they are renewed with. */
interface KeptCertificates {
  readonly options: CertificateOptions & { readonly clock: Clock };
  readonly current: LocalCertificates;
}

/** A client that uses its connection at least this often is told to close it, never cut off. */
const drainLingerMs = 2_000;

/** For parts with limits of their own: plugins level by level, sinks and workers as they are configured. */
const ownLimitsMsMax = 120_000;

class Start {
  readonly #options: PlatformOptions;
  readonly #undo: StopStep[] = [];
  readonly #stopping = new AbortController();
  readonly #enginesReady = Promise.withResolvers<Engines>();
  readonly #tokens: PlatformTokens;
  readonly #kernel = Promise.withResolvers<Kernel>();
  readonly #revocation = Promise.withResolvers<(credentialIds: readonly string[]) => void>();
  #contributions: Contributions | undefined;
  #longActions: LongActions | undefined;
  #engines: Engines | undefined;
  readonly #seat: WorkerSeat | undefined;
  #schedulers: readonly RunningScheduler[] = [];
  #workers: WorkerPool | undefined;
  #localCertificates: Promise<KeptCertificates> | undefined;

  /** Names this process in request ids and in the audit log. */
  get #replica(): string {
    return this.#seat?.name ?? 'r0';
  }

  constructor(options: PlatformOptions, seat?: WorkerSeat) {
    this.#options = options;
    this.#seat = seat;
    this.#tokens = new PlatformTokens(() => this.#kernel.promise, options.clock);
  }

  async #foundation(): Promise<Foundation> {
    const { log } = this.#options;

    // Plugins: configuration, manifests, setup; then the store before everything that is kept in it.
    const kernel = await this.#loadKernel();
    this.#kernel.resolve(kernel);
    const settings = this.#settings(kernel);
    const leaveLog = log.listen((line) => void kernel.hooks.observe(hooks.telemetry.log, line));
    this.#undo.push({ what: 'log', stop: async () => leaveLog() });
    const started = kernel.start();
    // Made while the store opens; who waits for them hears what went wrong.
    if (this.#seat === undefined) void (this.#localCertificates = this.#certificates(settings)).catch(() => {});
    this.#undo.push({ what: 'plugins', stop: () => kernel.stop(), limitMs: ownLimitsMsMax });
    const store = await Promise.race([
      kernel.services.whenProvided(families.store),
      started.then(() => kernel.services.whenProvided(families.store)),
    ]);

    // Identity, access, admission, resources.
    const base = this.#startBase(kernel, store, settings);
    // When a plugin did not start, whatever fails with it is a consequence: tell the cause.
    await Promise.allSettled([base]);
    await started;
    const { identity, access, engines } = await base;
    identity.follow();
    const audit = await this.#openAudit(kernel, store, settings);
    const graphql = await graphqlSettings(settings, this.#options.directory);
    const named = await this.#ownCertificate(kernel, settings);
    return { kernel, settings, store, identity, access, engines, audit, graphql, named };
  }

  async run(): Promise<Platform> {
    const { clock, random, log } = this.#options;
    const foundation = await this.#foundation();
    const { kernel, settings, store, identity, engines, audit } = foundation;

    // The API: for everybody, or with workers for the platform's own processes only.
    const installation = await openInstallation(store);
    const certificates = await (this.#localCertificates ?? this.#certificates(settings));
    const actions = platformActions({
      kernel,
      installation,
      schedulers: () => this.#schedulers.map(({ scheduler }) => scheduler),
      spread: async () => this.#workers?.reload(),
      replaceWorkers: () => this.#workers?.beginReplacing() ?? 0,
    });
    const ownMetrics = async () => (await kernel.services.whenProvided(metricsPage)).text();
    const server = this.#createServer(foundation, certificates.current, {
      ...(settings.workers === 0 ? settings : { host: '127.0.0.1', port: 0 }),
      actions,
      metrics: () => this.#workers?.metrics() ?? ownMetrics(),
    });
    const { port } = await this.#listen(server, foundation, certificates.current);
    const renew = (next: LocalCertificates): void => {
      server.renew(next.tls);
      identity.processes.trust(next.authority);
      void this.#workers?.renew(next);
    };
    void keepCertificatesFresh(certificates.options, certificates.current, renew, this.#stopping.signal);
    const local = `https://127.0.0.1:${port}`;
    const connectEngine: PrimaryCalls['connectEngine'] = async (engine, user) => {
      if (!engines.all.has(engine)) throw platformErrors.TAP_ENGINE_NOT_SERVED({ message: `there is no engine ${engine}` });
      return {
        server: `${local}/clusters/${engine}`,
        certificateAuthority: certificates.current.authority,
        clientCertificate: await identity.processes.issue(engine, user),
      };
    };
    kernel.connectEngines(connectEngine);
    const publicPort = settings.workers === 0 ? port : settings.port || (await freePort(settings.host));
    const publicUrl = `https://127.0.0.1:${publicPort}`;
    const files = await this.#writeFiles(settings, engines, publicUrl, certificates.current, identity);
    if (settings.workers > 0) {
      await this.#startWorkers({ ...settings, port: publicPort }, store, certificates.current, { ...actions, connectEngine }, ownMetrics);
    }

    // Reconcile and schedule.
    engines.collectGarbage();
    const clusters = new ClusterAccesses({
      clusters: kernel.services.family(families.cluster),
      context: () => kernel.platformContext(),
      pluginOf: () => kernel.pluginOf(),
      clock,
      random,
      version: this.#options.version,
      log,
    });
    this.#undo.push({ what: 'clusters', stop: () => clusters.close() });
    const controllers = startControllers({ kernel, engines, store, clusters, installation, clock, random, log });
    this.#undo.push({ what: 'controllers', stop: () => controllers.stop() });
    await this.#followClusters(kernel, clusters);
    this.#undo.push({ what: 'schedulers', stop: () => Promise.all(this.#schedulers.map((running) => running.stop())) });
    kernel.startTasks();

    this.#followGenerations(kernel, engines, async () => {
      await audit.follow();
      identity.follow();
      await controllers.follow();
      await this.#followClusters(kernel, clusters);
      await this.#writeKubeconfig(settings, engines, publicUrl, certificates.current);
      await writePluginObjects(kernel, engines.asPlatform(platformEngine), { clock, log });
    });
    void writePluginObjects(kernel, engines.asPlatform(platformEngine), { clock, log }).catch((error: unknown) =>
      log.warn('Plugin objects were not written', { error }),
    );
    return {
      url: publicUrl,
      ...files,
      kernel,
      engines,
      paths: () => server.paths(),
      reload: async () => void (await actions.reload()),
      stop: () => this.stop(),
    };
  }

  /** Only the API, over everything that there is one of elsewhere. */
  async serve({ host, port, certificates, primary }: WorkerSeat): Promise<Worker> {
    const foundation = await this.#foundation();
    const { kernel, identity, engines, audit } = foundation;
    kernel.connectEngines((engine, user) => primary.call('connectEngine', engine, user));
    const actions: PlatformActions = {
      reload: () => primary.call('reload'),
      confirm: () => primary.call('confirm'),
      replaceWorkers: () => primary.call('replaceWorkers'),
      placements: (application) => primary.call('placements', application),
    };
    const metrics = () => primary.call('metrics');
    const stop = () => this.stop();
    const server = this.#createServer(foundation, certificates, { host, port, actions, metrics });
    await this.#listen(server, foundation, certificates);
    kernel.startTasks();
    this.#followGenerations(kernel, engines, async () => {
      identity.follow();
      await audit.follow();
    });
    return {
      kernel,
      renew: (next) => {
        server.renew(next.tls);
        identity.processes.trust(next.authority);
      },
      metrics: async () => (await kernel.services.whenProvided(metricsPage)).text(),
      async drain() {
        await server.close({ lingerMs: drainLingerMs });
        await stop();
      },
    };
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    for (const step of this.#undo.splice(0).toReversed()) await stopStep(step, this.#options);
  }

  #loadKernel(): Promise<Kernel> {
    const { configFile, clock, random, env, log, version } = this.#options;
    const kernel: Promise<Kernel> = loadKernel({
      configFile,
      sections: platformSections,
      clock,
      random,
      env,
      kernelVersion: version,
      log: (line) => log.line(line),
      watchdog: true,
      ...(this.#seat !== undefined && workerPlace(this.#seat)),
      services: [
        { service: platformServices.metrics, value: { text: async () => (await kernel).metrics.text() } },
        { service: platformServices.tokens, value: this.#tokens.service },
        { service: platformServices.credentials, value: credentialRegister(this.#revocation.promise) },
      ],
      resourcesFor: (instance, engine = platformEngine) =>
        lateResources(async () => (await this.#enginesReady.promise).asPlugin(instance, engine)),
    });
    return kernel;
  }

  #settings(kernel: Kernel): ApiSettings {
    const settings = kernel.config.section('api') as ApiSettings;
    return { ...settings, directory: resolve(this.#options.directory, settings.directory) };
  }

  async #startBase(
    kernel: Kernel,
    store: ResourceStore,
    settings: ApiSettings,
  ): Promise<{ readonly identity: CallerIdentity; readonly access: PlatformAccess; readonly engines: Engines }> {
    const { clock, log } = this.#options;
    const { signal } = this.#stopping;
    const sealer = await this.#openSealer(settings);
    const { issuer = `https://localhost:${settings.port}` } = settings;
    await this.#tokens.open({ store, sealer, issuer, clock, log, signal });
    const directory = join(settings.directory, 'pki');
    const identity = await callerIdentity(kernel, store, clock, (user, lifetimeMs) =>
      processCertificate({ directory, clock }, user, lifetimeMs),
    );
    const access = platformAccess(kernel, (name) => this.#engines?.all.get(name));
    return { identity, access, engines: await this.#startEngines(kernel, store, identity, access, sealer) };
  }

  async #openSealer({ directory }: ApiSettings): Promise<Sealer> {
    await mkdir(join(directory, 'keys'), { recursive: true, mode: 0o700 });
    return createSealer(await KeyFile.open(join(directory, 'keys', 'secrets.key')));
  }

  async #startEngines(
    kernel: Kernel,
    store: ResourceStore,
    { authenticate }: CallerIdentity,
    access: PlatformAccess,
    sealer: Sealer,
  ): Promise<Engines> {
    const { clock, random, log } = this.#options;
    const admission = createAdmission({ dispatch: kernel.hooks, platformEngine, confidentiality: confidentialityOf(kernel) });
    const engines = new Engines({ kernel, store, admission, sealer, authenticate, access, clock, random, log });
    this.#engines = engines;
    await engines.start();
    this.#enginesReady.resolve(engines);
    this.#undo.push({ what: 'engines', stop: () => engines.close() });
    return engines;
  }

  /** Stops after the API and everything else that acts, before the plugins that keep its lines. */
  async #openAudit(kernel: Kernel, store: ResourceStore, { directory: apiDirectory }: ApiSettings): Promise<PlatformAudit> {
    const { clock, random, log, directory } = this.#options;
    const audit = await openAudit({ kernel, store, apiDirectory, directory, replica: this.#replica, clock, random, log });
    this.#undo.push({ what: 'audit', stop: () => audit.stop(), limitMs: ownLimitsMsMax });
    return audit;
  }

  /** The operator's own certificate, followed as long as the platform runs. */
  async #ownCertificate(kernel: Kernel, { tls }: ApiSettings): Promise<TlsFilesCertificate | undefined> {
    if (tls.certificate === '' && tls.key === '') return undefined;
    const { clock, log, directory } = this.#options;
    const files = { certificate: resolve(directory, tls.certificate), key: resolve(directory, tls.key) };
    const named = await TlsFilesCertificate.open({ files, policy: tlsPolicy(tls), clock, log });
    void named.follow(this.#stopping.signal);
    void warnOfExpiry(named.expiring, clock, log, this.#stopping.signal);
    const help = "Seconds until the operator's certificate of the API expires.";
    const expires = kernel.metrics.gauge({ name: 'tappaas_api_certificate_expires_seconds', help }).bind({});
    const leave = kernel.metrics.onCollect(() => expires.set((named.expiring.notAfterMs() - clock.nowMs()) / 1000));
    this.#undo.push({ what: 'certificate metric', stop: async () => leave() });
    return named;
  }

  async #certificates({ directory, host, hosts }: ApiSettings): Promise<KeptCertificates> {
    const options = { directory: join(directory, 'pki'), hosts: [host, ...hosts], clock: this.#options.clock };
    return { options, current: await localCertificates(options) };
  }

  async #listen(
    server: ApiServer,
    { identity, settings, named }: Foundation,
    { authority }: LocalCertificates,
  ): Promise<{ readonly port: number }> {
    const { clock, log } = this.#options;
    identity.processes.trust(authority);
    const { port } = await server.listen().catch((error: unknown) => portTaken(error, settings));
    this.#undo.push({ what: 'api', stop: () => server.close() });
    this.#revocation.resolve((credentialIds) => {
      identity.revoke(credentialIds);
      for (const id of credentialIds) server.endStreams(id);
    });
    const current = () => `${identity.processes.authority}\n${identity.clientAuthorities()}`;
    const servers = named === undefined ? [server] : [server, named];
    void followClientAuthorities({ servers, current, clock, log }, this.#stopping.signal);
    return { port };
  }

  async #startWorkers(
    { workers, host, port }: ApiSettings,
    store: ResourceStore,
    certificates: LocalCertificates,
    calls: WorkerPoolOptions['calls'],
    ownMetrics: () => Promise<string>,
  ): Promise<void> {
    const { clock, log, configFile, directory, forkWorker } = this.#options;
    if (forkWorker === undefined) throw new Error('api.workers: nothing here starts processes');
    const start = { configFile, directory, host, port };
    const fork = forkWorker;
    const pool = new WorkerPool({ fork, workers, store, clock, log, start, certificates, calls, ownMetrics, mergeMetrics: mergedMetrics });
    this.#undo.push({ what: 'workers of the api', stop: () => pool.close(), limitMs: ownLimitsMsMax });
    this.#workers = pool;
    await pool.start();
  }

  #createServer(
    { kernel, settings, engines, identity, access, audit, graphql, named }: Foundation,
    certificates: LocalCertificates,
    place: ServerPlace,
  ): ApiServer {
    const { clock, random, log, version } = this.#options;
    const seats = createFlow({
      settings: settings.flow,
      clock,
      rateOf: tenantRates(engines),
    });
    const own = platformRoutes({ kernel, engines, access, actions: place.actions });
    this.#contributions = this.#contributionsOf(kernel, engines);
    return createApiServer({
      engines: () => engines.all,
      authenticate: identity.authenticate,
      authorize: access.authorize,
      flow: seats,
      audit: audit.stage,
      auditReader: audit,
      tableFor: tableColumns(clock),
      routes: () => [...own, ...(this.#contributions?.routes ?? [])],
      actions: () => this.#contributions?.actions ?? [],
      subresources: () => this.#contributions?.subresources ?? [],
      fields: () => this.#contributions?.fields ?? [],
      upgrades: () => this.#contributions?.upgrades ?? [],
      graphql,
      tls: certificates.tls,
      tlsPolicy: tlsPolicy(settings.tls),
      ...(named !== undefined && { contextFor: (servername: string) => named.contextFor(servername) }),
      host: place.host,
      port: place.port,
      cors: { origins: settings.origins },
      log,
      clock,
      random,
      replica: this.#replica,
      version,
      ready: () => [
        { name: 'plugins', check: () => kernel.plugins().every(({ phase }) => phase !== 'starting') },
        { name: 'audit', check: audit.isReady },
        ...(named === undefined ? [] : [certificateCheck(named.expiring, clock)]),
      ],
      publishedKeys: () => this.#tokens.published(),
      metrics: place.metrics,
      deprecatedUse: countDeprecated(kernel),
      socketAdapter: async () => {
        const [first] = kernel.services.family(families.socketAdapter).values();
        return first === undefined ? undefined : ((await first.open()).make as never);
      },
    });
  }

  #startLongActions(engines: Engines): LongActions {
    const { clock, log } = this.#options;
    const longActions = createLongActions({ resources: engines.asPlatform(platformEngine), clock, log, replica: this.#replica });
    this.#undo.push({ what: 'long actions', stop: () => longActions.stop() });
    void longActions
      .closeInterrupted()
      .catch((error: unknown) => log.warn('operations that the last end interrupted were not told so', { error }));
    return longActions;
  }

  #contributionsOf(kernel: Kernel, engines: Engines): Contributions {
    this.#longActions ??= this.#startLongActions(engines);
    return contributionsOf({
      clock: this.#options.clock,
      registrations: kernel.registrations(),
      engine: (name) => engines.of(name),
      object: (kind, key) => engines.asPlatform(platformEngine).get(kind, key),
      asCaller: (engine, { caller, requestId, signal }) => engines.asCaller(engine, caller, requestId, signal),
      longActions: this.#longActions,
    });
  }

  async #writeFiles(settings: ApiSettings, engines: Engines, server: string, certificates: LocalCertificates, identity: CallerIdentity) {
    const kubeconfig = join(settings.directory, 'kubeconfig');
    const authorityFile = join(settings.directory, 'ca.pem');
    await writePrivateFile(authorityFile, certificates.authority);
    const write = (token?: string) => this.#writeKubeconfig(settings, engines, server, certificates, token);
    await write();
    const withoutToken = await readPrivateFile(kubeconfig);
    const firstToken = await identity.firstToken({
      keep: write,
      drop: () => writePrivateFile(kubeconfig, withoutToken ?? ''),
    });
    return { kubeconfig, authorityFile, firstToken };
  }

  /** A context per engine; what is there of others, and the token, stay. */
  #writeKubeconfig(
    { directory }: ApiSettings,
    engines: Engines,
    server: string,
    { authority }: LocalCertificates,
    token?: string,
  ): Promise<void> {
    const names = [...engines.all.keys()].filter((name) => name !== platformEngine);
    const path = join(directory, 'kubeconfig');
    return writeKubeconfig({ path, server, authority, engines: names, ...(token === undefined ? {} : { token }) });
  }

  /** One scheduler for each cluster whose plugin asks for one; clusters come and go with generations. */
  async #followClusters(kernel: Kernel, clusters: ClusterAccesses): Promise<void> {
    const { clock, random, log } = this.#options;
    const binding = clusters
      .names()
      .flatMap((name) => clusters.of(name) ?? [])
      .filter(({ cluster }) => cluster.scheduling === 'bind');
    const isBound = ({ cluster }: RunningScheduler) => binding.some(({ name }) => name === cluster);
    const gone = this.#schedulers.filter((running) => !isBound(running));
    const kept = this.#schedulers.filter(isBound);
    const started = binding
      .filter(({ name }) => !kept.some(({ cluster }) => cluster === name))
      .map((access) => startClusterScheduler({ access, kernel, clock, random, log }));
    this.#schedulers = [...kept, ...started];
    await Promise.all(gone.map((running) => running.stop()));
  }

  /** A reload swaps hooks by itself; kinds, routes and controllers follow here, before what was replaced stops. */
  #followGenerations(kernel: Kernel, engines: Engines, follow: () => Promise<void>): void {
    const leave = kernel.onGeneration(async (registrations) => {
      await engines.follow(registrations);
      this.#contributions = this.#contributionsOf(kernel, engines);
      await follow();
    });
    this.#undo.push({ what: 'generations', stop: async () => leave() });
  }
}

/** @throws TAP_API_PORT_TAKEN, or what else kept the listener from listening */
function portTaken(error: unknown, { host, port }: ApiSettings): never {
  if (!(error instanceof Error) || !('code' in error) || error.code !== 'EADDRINUSE') throw error;
  throw platformErrors.TAP_API_PORT_TAKEN({
    message: `port ${port} on ${host}, where the API listens, is taken by another program (api.port)`,
    field: 'api.port',
    cause: error,
  });
}

/** A worker leads nothing, and what is done once on a machine is done by the platform's process; so is keeping the store. */
function workerPlace({ store }: WorkerSeat): Pick<KernelOptions, 'isLeader' | 'isOnlyOnMachine' | 'elsewhere'> {
  return {
    isLeader: () => false,
    isOnlyOnMachine: () => false,
    elsewhere: ({ id }) => (id === families.store.id ? store : undefined),
  };
}
