import { families, metricsPage, platformEngine } from '@tappaas/sdk';
import { keepCertificatesFresh, type LocalCertificates } from './api/certificates/certificates.js';
import type { ShareGrant } from './flow/shares/protocol.js';
import { ShareBook } from './flow/shares/share-book.js';
import type { Kernel } from './kernel/kernel.js';
import type { AdminTokenHolder } from './identity/admin-token.js';
import { adminTokenReplacement } from './platform/access/admin-token-replacement.js';
import { ApiService } from './platform/api-service.js';
import { ClusterAccesses } from './platform/clusters/cluster-access.js';
import { ClusterSchedulers } from './platform/clusters/cluster-schedulers.js';
import { writeConnectionFiles, type ConnectionFiles } from './platform/connection-files.js';
import { startControllers } from './platform/controllers/controllers.js';
import type { Engines } from './platform/engines.js';
import { platformErrors } from './platform/errors.js';
import { layFoundation, type Foundation } from './platform/foundation.js';
import { freePort } from './platform/free-port.js';
import { openInstallation } from './platform/installation.js';
import { platformActions, type PlatformActions } from './platform/platform-actions.js';
import { purgeKind } from './platform/purge-kind.js';
import { recordPlatformEvents } from './platform/events/platform-events.js';
import { keepPluginObjects } from './platform/events/plugin-objects.js';
import { SealingKeys } from './platform/sealing/sealing-keys.js';
import { ownLimitsMsMax, Starting, type PlatformOptions, type WorkerSeat } from './platform/starting.js';
import type { PrimaryCalls } from './platform/workers/calls.js';
import { mergedMetrics } from './platform/workers/merged-metrics.js';
import { openBreakersOf } from './platform/workers/open-breakers.js';
import { workerDesks } from './platform/workers/worker-desks.js';
import { refuseOtherVersions, versionsOf } from './platform/workers/versions.js';
import { WorkerPool, type WorkerPoolOptions } from './platform/workers/worker-pool.js';

export type { PlatformOptions, WorkerSeat } from './platform/starting.js';

/** A running worker of the API. */
export interface Worker {
  readonly kernel: Kernel;
  revoke(credentialIds: readonly string[]): void;
  /** Delivers grants of the platform-wide limits. */
  granted(grants: readonly ShareGrant[]): void;
  renew(certificates: LocalCertificates): void;
  rereadAdminToken(): Promise<void>;
  rereadKeys(): Promise<void>;
  forgetKind(kind: string): Promise<void>;
  metrics(): Promise<string>;
  /** Lets go of its connections one by one, then stops. */
  drain(): Promise<void>;
}

/** A running platform. */
export interface Platform extends Omit<ConnectionFiles, 'refresh' | 'holder'> {
  readonly url: string;
  readonly kernel: Kernel;
  readonly engines: Engines;
  /** Everything that the API serves, as paths and patterns. */
  paths(): readonly string[];
  /** Takes over what the configuration says now, in all processes. */
  reload(): Promise<void>;
  stop(): Promise<void>;
}

/** A client that uses its connection at least this often is told to close it, never cut off. */
const drainLingerMs = 2_000;

/** Starts everything in the order in which a request and then a reconcile pass through it; what was started is stopped in reverse. */
export async function startPlatform(options: PlatformOptions): Promise<Platform> {
  const starting = new Starting(options);
  return starting.orStop(() => start(starting));
}

/** Starts a process that serves the API beside others, over the store of the platform's process. */
export async function startWorker(options: PlatformOptions, seat: WorkerSeat): Promise<Worker> {
  const starting = new Starting(options, seat);
  return starting.orStop(() => serve(starting, seat));
}

async function start(starting: Starting): Promise<Platform> {
  const { clock, random, log, version } = starting.options;

  // Plugins, store, identity, access, admission, resources, audit.
  const foundation = await layFoundation(starting);
  const { kernel, settings, store, engines } = foundation;
  const installation = await openInstallation(store);
  const clusters = new ClusterAccesses({
    clusters: kernel.services.family(families.cluster),
    context: () => kernel.platformContext(),
    pluginOf: () => kernel.pluginOf(),
    clock,
    random,
    version,
    log,
  });
  const schedulers = new ClusterSchedulers(clusters, { kernel, clock, random, log });

  // The API: for everybody, or with workers for the platform's own processes only.
  let workers: WorkerPool | undefined;
  const sealingKeys = new SealingKeys({
    file: foundation.keyFile,
    store,
    spread: async () => workers?.rereadKeys(),
    clock,
  });
  const tokenHolder = Promise.withResolvers<AdminTokenHolder>();
  const revoke: PrimaryCalls['revoked'] = async (credentialIds) => {
    api.revoke(credentialIds);
    await workers?.revoke(credentialIds);
  };
  const pluginObjects = keepPluginObjects({ kernel, resources: engines.asPlatform(platformEngine), clock, log });
  starting.onStop({ what: 'Plugin objects', stop: () => pluginObjects.stop() });
  const actions = platformActions({
    kernel,
    engines,
    installation,
    sealingKeys,
    clock,
    signal: starting.signal,
    forgetKind: async (kind) => workers?.forgetKind(kind),
    schedulers: () => schedulers.all,
    async spread() {
      if (workers === undefined) return;
      await workers.reload();
      engines.rebuildClaims();
    },
    replaceAdminToken: adminTokenReplacement({
      identity: foundation.identity,
      holder: tokenHolder.promise,
      spread: async () => workers?.rereadAdminToken(),
      revoke,
    }),
    async replaceWorkers() {
      if (workers === undefined) return 0;
      refuseOtherVersions(versionsOf(version, []), versionsOf((await starting.options.installedVersion?.()) ?? version, []));
      return workers.beginReplacing();
    },
    tellRefused: (problems) => pluginObjects.tell(problems),
  });
  const ownMetrics = metricsOf(kernel);
  const metricsName = random().toString(36).slice(2);
  const { options: certificateOptions, current: certificates } = await foundation.certificates();
  const api = await ApiService.start(starting, foundation, {
    ...(settings.workers === 0 ? settings : { host: '127.0.0.1', port: 0 }),
    certificates,
    actions,
    spreadRevoked: async (credentialIds) => workers?.revoke(credentialIds),
    metrics: () => workers?.metrics() ?? ownMetrics(),
    metricsOf: metricsName,
  });
  void keepCertificatesFresh(certificateOptions, certificates, {
    renewed(next) {
      api.renew(next);
      void workers?.renew(next);
    },
    failed: (error) => log.error('the certificates of the API could not be looked after; those in use stay', { error }),
    signal: starting.signal,
  });
  const connectEngine = engineConnector(foundation, `https://127.0.0.1:${api.port}`, certificates);
  kernel.connectEngines(connectEngine);
  const publicPort = settings.workers === 0 ? api.port : settings.port || (await freePort(settings.host));
  const url = `https://127.0.0.1:${publicPort}`;
  const { refresh, holder, ...files } = await writeConnectionFiles(foundation, url, certificates.authority, starting.options);
  tokenHolder.resolve(holder);
  if (settings.workers > 0) {
    workers = workerPool(starting, foundation, {
      port: publicPort,
      certificates,
      calls: { ...actions, connectEngine, revoked: revoke, ...stateCalls(foundation.state) },
      desk: workerDesks({ clock, tellOpen: (worker, open) => pluginObjects.tellOpen(worker, open) }),
      ownMetrics,
      metricsName,
    });
    await workers.start();
  }

  // Reconcile and schedule.
  engines.collectGarbage();
  starting.onStop({ what: 'clusters', stop: () => clusters.close() });
  const controllers = startControllers({ kernel, engines, store, clusters, installation, clock, random, log });
  starting.onStop({ what: 'controllers', stop: () => controllers.stop() });
  await schedulers.follow();
  starting.onStop({ what: 'schedulers', stop: () => schedulers.stop() });
  kernel.startTasks();

  recordEvents(starting, foundation);
  api.follow(async () => {
    await controllers.follow();
    await schedulers.follow();
    await refresh();
    await pluginObjects.tell([]);
  });
  void pluginObjects.tell();
  foundation.certificateThread.release();
  return {
    url,
    ...files,
    kernel,
    engines,
    paths: () => api.server.paths(),
    reload: async () => void (await actions.reload()),
    stop: () => starting.stop(),
  };
}

/** Only the API, over everything that there is one of elsewhere. */
async function serve(starting: Starting, { host, port, certificates, metricsOf: metricsName, primary }: WorkerSeat): Promise<Worker> {
  const foundation = await layFoundation(starting);
  const { kernel, settings } = foundation;
  const { clock } = starting.options;
  await primary.call('compareVersions', versionsOf(starting.options.version, kernel.plugins()));
  kernel.connectEngines((engine, user) => primary.call('connectEngine', engine, user));
  const actions: PlatformActions = {
    reload: () => primary.call('reload'),
    confirm: () => primary.call('confirm'),
    replaceAdminToken: () => primary.call('replaceAdminToken'),
    replaceWorkers: () => primary.call('replaceWorkers'),
    sealingKeys: () => primary.call('sealingKeys'),
    changeSealingKeys: (change, keyId) => primary.call('changeSealingKeys', change, keyId),
    purge: (kind) => primary.call('purge', kind),
    placements: (application) => primary.call('placements', application),
    decisions: (uids) => primary.call('decisions', uids),
  };
  const metrics = () => primary.call('metrics');
  const spreadRevoked = (credentialIds: readonly string[]) => primary.call('revoked', credentialIds);
  const allowances = new ShareBook({ clock, processes: settings.workers, send: (reports) => primary.call('flowReport', reports) });
  const place = { host, port, certificates, actions, spreadRevoked, metrics, metricsOf: metricsName, allowances };
  const api = await ApiService.start(starting, foundation, place);
  kernel.startTasks();
  recordEvents(starting, foundation);
  const tellOpen = (): Promise<void> =>
    primary
      .call('openBreakers', openBreakersOf(kernel.plugins()))
      .catch((error: unknown) => starting.options.log.warn('the open circuit breakers of this process were not told', { error }));
  kernel.onEvent(({ type }) => void (type.startsWith('breaker.') && tellOpen()));
  api.follow(tellOpen);
  return {
    kernel,
    revoke: (credentialIds) => api.revoke(credentialIds),
    granted: (grants) => allowances.granted(grants),
    renew: (next) => api.renew(next),
    rereadAdminToken: () => foundation.identity.rereadFirstToken(),
    rereadKeys: () => foundation.keyFile.reread(),
    forgetKind: async (kind) => void (await purgeKind({ engines: foundation.engines, clock, signal: starting.signal }, kind)),
    metrics: metricsOf(kernel),
    async drain() {
      await api.server.close({ lingerMs: drainLingerMs });
      await starting.stop();
    },
  };
}

/** How processes of an engine's plugin reach it: on the platform's own listener, with a certificate of its authority. */
function engineConnector(
  { engines, identity }: Foundation,
  server: string,
  { authority: certificateAuthority }: LocalCertificates,
): PrimaryCalls['connectEngine'] {
  return async (engine, user) => {
    if (!engines.all.has(engine)) throw platformErrors.TAP_ENGINE_NOT_SERVED({ message: `there is no engine ${engine}` });
    const clientCertificate = await identity.processes.issue(engine, user);
    return { server: `${server}/clusters/${engine}`, certificateAuthority, clientCertificate };
  };
}

function stateCalls(state: Foundation['state']): Pick<PrimaryCalls, 'stateGet' | 'stateSet' | 'stateDelete'> {
  return { stateGet: state.get, stateSet: state.set, stateDelete: state.delete };
}

function workerPool(
  starting: Starting,
  { kernel, settings: { workers, host }, store, leases }: Foundation,
  {
    port,
    certificates,
    calls,
    desk,
    ownMetrics,
    metricsName,
  }: Pick<WorkerPoolOptions, 'certificates' | 'calls' | 'desk' | 'ownMetrics'> & { readonly port: number; readonly metricsName: string },
): WorkerPool {
  const { clock, log, configFile, directory, version, forkWorker: fork } = starting.options;
  if (fork === undefined) throw new Error('api.workers: nothing here starts processes');
  const start = { configFile, directory, host, port, metricsOf: metricsName };
  const pool = new WorkerPool({
    fork,
    workers,
    store,
    leases,
    clock,
    log,
    start,
    certificates,
    versions: () => versionsOf(version, kernel.plugins()),
    calls,
    desk,
    ownMetrics,
    mergeMetrics: mergedMetrics,
  });
  starting.onStop({ what: 'workers of the api', stop: () => pool.close(), limitMs: ownLimitsMsMax });
  return pool;
}

function recordEvents(starting: Starting, { kernel, engines }: Foundation): void {
  const { clock, random, log } = starting.options;
  const stop = recordPlatformEvents({
    kernel,
    isWorker: starting.seat !== undefined,
    resources: engines.asPlatform(platformEngine),
    clock,
    random,
    log,
  });
  starting.onStop({ what: 'events of the platform', stop });
}

/** @throws TAP_METRICS_NOT_SERVED at once: a scraper asks every few seconds, and a plugin that is not loaded may never come */
function metricsOf(kernel: Kernel): () => Promise<string> {
  return async () => {
    const page = kernel.services.provided(metricsPage);
    if (page === undefined) throw platformErrors.TAP_METRICS_NOT_SERVED({ message: 'no plugin that serves metrics is loaded' });
    return page.text();
  };
}
