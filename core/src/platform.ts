import { mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { families, hooks, metricsPage, platformServices, type Clock, type ResourceStore } from '@tappaas/sdk';
import { createAdmission } from './admission/admission.js';
import { keepCertificatesFresh, localCertificates, type CertificateOptions, type LocalCertificates } from './api/certificates.js';
import { writeKubeconfig } from './api/kubeconfig.js';
import { readPrivateFile, writePrivateFile } from './api/private-file.js';
import type { GraphqlSettings } from './api/graphql/ports.js';
import { createApiServer, type ApiServer } from './api/server.js';
import { createFlow, defaultFlowLimits } from './flow/seats.js';
import { loadKernel, type Kernel } from './kernel/kernel.js';
import { openAudit, type PlatformAudit } from './platform/audit.js';
import { callerIdentity, credentialRegister, type CallerIdentity } from './platform/caller-identity.js';
import { ClusterAccesses } from './platform/cluster-access.js';
import { startClusterScheduler, type RunningScheduler } from './platform/cluster-scheduler.js';
import { confidentialityOf } from './platform/confidentiality.js';
import { contributionsOf, type Contributions } from './platform/contributions.js';
import { startControllers } from './platform/controllers.js';
import { Engines, platformEngine } from './platform/engines.js';
import { platformErrors } from './platform/errors.js';
import { lateResources } from './platform/late-resources.js';
import { graphqlSettings } from './platform/graphql-settings.js';
import { openInstallation, type Installation } from './platform/installation.js';
import { platformAccess, type PlatformAccess } from './platform/platform-access.js';
import { writePluginObjects } from './platform/plugin-objects.js';
import { platformRoutes } from './platform/routes.js';
import { platformSections, type ApiSettings } from './platform/settings.js';
import { tableColumns } from './platform/table-columns.js';
import { createSealer } from './secrets/envelope.js';
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
  stop(): Promise<void>;
}

/** Names this process in request ids and in the audit log. */
const replica = 'r0';

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

class Start {
  readonly #options: PlatformOptions;
  readonly #undo: { readonly what: string; readonly stop: () => Promise<unknown> }[] = [];
  readonly #stopping = new AbortController();
  readonly #enginesReady = Promise.withResolvers<Engines>();
  readonly #revocation = Promise.withResolvers<(credentialIds: readonly string[]) => void>();
  #contributions: Contributions | undefined;
  #engines: Engines | undefined;
  #schedulers: readonly RunningScheduler[] = [];

  constructor(options: PlatformOptions) {
    this.#options = options;
  }

  async run(): Promise<Platform> {
    const { clock, random, log } = this.#options;

    // Plugins: configuration, manifests, setup; then the store before everything that is kept in it.
    const kernel = await this.#loadKernel();
    const settings = this.#settings(kernel);
    const leaveLog = log.listen((line) => void kernel.hooks.observe(hooks.telemetry.log, line));
    this.#undo.push({ what: 'log', stop: async () => leaveLog() });
    const started = kernel.start();
    this.#undo.push({ what: 'plugins', stop: () => kernel.stop() });
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

    // The API.
    const audit = await this.#openAudit(kernel, store, settings);
    const installation = await openInstallation(store);
    const certificates = await this.#certificates(settings);
    const graphql = await graphqlSettings(settings, this.#options.directory);
    const served = { ...settings, graphql };
    const server = this.#createServer(kernel, engines, identity, access, installation, served, certificates.current, audit);
    const { url, port } = await server.listen().catch((error: unknown) => portTaken(error, settings));
    this.#undo.push({ what: 'api', stop: () => server.close() });
    this.#revocation.resolve((credentialIds) => {
      identity.revoke(credentialIds);
      for (const id of credentialIds) server.endStreams(id);
    });
    void keepCertificatesFresh(certificates.options, certificates.current, (next) => server.renew(next.tls), this.#stopping.signal);
    const local = `https://127.0.0.1:${port}`;
    kernel.connectEngines(async (engine, user) => {
      if (!engines.all.has(engine)) throw platformErrors.TAP_ENGINE_NOT_SERVED({ message: `there is no engine ${engine}` });
      return {
        server: `${local}/clusters/${engine}`,
        certificateAuthority: certificates.current.authority,
        token: identity.engineCredentials.issue(engine, user),
      };
    });
    const files = await this.#writeFiles(settings, engines, local, certificates.current, identity);

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
      await this.#writeKubeconfig(settings, engines, local, certificates.current);
    });
    void writePluginObjects(kernel, engines.asPlatform(platformEngine), { clock, log }).catch((error: unknown) =>
      log.warn('Plugin objects were not written', { error }),
    );
    return {
      url: url.includes('127.0.0.1') ? url : local,
      ...files,
      kernel,
      engines,
      stop: () => this.stop(),
    };
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    for (const { what, stop } of this.#undo.splice(0).toReversed()) {
      await stop().catch((error: unknown) => this.#options.log.error('something did not stop cleanly', { what, error }));
    }
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
      services: [
        { service: platformServices.metrics, value: { text: async () => (await kernel).metrics.text() } },
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
    const identity = await callerIdentity(kernel, store, this.#options.clock);
    const access = platformAccess(kernel, (name) => this.#engines?.all.get(name));
    return { identity, access, engines: await this.#startEngines(kernel, store, identity, access, settings) };
  }

  async #startEngines(
    kernel: Kernel,
    store: ResourceStore,
    { authenticate }: CallerIdentity,
    access: PlatformAccess,
    { directory }: ApiSettings,
  ): Promise<Engines> {
    const { clock, random, log } = this.#options;
    await mkdir(join(directory, 'keys'), { recursive: true, mode: 0o700 });
    const sealer = createSealer(await KeyFile.open(join(directory, 'keys', 'secrets.key')));
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
    const audit = await openAudit({ kernel, store, apiDirectory, directory, replica, clock, random, log });
    this.#undo.push({ what: 'audit', stop: () => audit.stop() });
    return audit;
  }

  async #certificates({
    directory,
    host,
    hosts,
  }: ApiSettings): Promise<{ readonly options: CertificateOptions & { readonly clock: Clock }; readonly current: LocalCertificates }> {
    const options = { directory: join(directory, 'pki'), hosts: [host, ...hosts], clock: this.#options.clock };
    return { options, current: await localCertificates(options) };
  }

  #createServer(
    kernel: Kernel,
    engines: Engines,
    identity: CallerIdentity,
    access: PlatformAccess,
    installation: Installation,
    settings: ApiSettings & { readonly graphql: GraphqlSettings },
    certificates: LocalCertificates,
    audit: PlatformAudit,
  ): ApiServer {
    const { clock, random, log, version } = this.#options;
    const seats = createFlow(defaultFlowLimits);
    const own = platformRoutes({
      kernel,
      engines,
      access,
      installation,
      schedulers: () => this.#schedulers.map(({ scheduler }) => scheduler),
    });
    this.#contributions = this.#contributionsOf(kernel, engines);
    return createApiServer({
      engines: () => engines.all,
      authenticate: identity.authenticate,
      authorize: access.authorize,
      flow: seats,
      audit: audit.stage,
      searchAudit: audit.search,
      tableFor: tableColumns(clock),
      routes: () => [...own, ...(this.#contributions?.routes ?? [])],
      actions: () => this.#contributions?.actions ?? [],
      subresources: () => this.#contributions?.subresources ?? [],
      fields: () => this.#contributions?.fields ?? [],
      upgrades: () => this.#contributions?.upgrades ?? [],
      graphql: settings.graphql,
      tls: certificates.tls,
      host: settings.host,
      port: settings.port,
      cors: { origins: settings.origins },
      log,
      clock,
      random,
      replica,
      version,
      ready: () => [{ name: 'plugins', check: () => kernel.plugins().every(({ phase }) => phase !== 'starting') }],
      metrics: async () => (await kernel.services.whenProvided(metricsPage)).text(),
    });
  }

  #contributionsOf(kernel: Kernel, engines: Engines): Contributions {
    return contributionsOf({
      clock: this.#options.clock,
      registrations: kernel.registrations(),
      engine: (name) => engines.of(name),
      object: (kind, key) => engines.asPlatform(platformEngine).get(kind, key),
      asCaller: (engine, { caller, requestId, signal }) => engines.asCaller(engine, caller, requestId, signal),
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
      await writePluginObjects(kernel, engines.asPlatform(platformEngine), this.#options);
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
