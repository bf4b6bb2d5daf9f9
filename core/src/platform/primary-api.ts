import { keepCertificatesFresh } from '../api/certificates/certificates.js';
import type { AdminTokenHolder } from '../identity/admin-token.js';
import { adminTokenReplacement } from './access/admin-token-replacement.js';
import { ApiService } from './api-service.js';
import type { ClusterSchedulers } from './clusters/cluster-schedulers.js';
import { writeConnectionFiles, type ConnectionFiles } from './connection-files.js';
import { engineConnector } from './engine-connector.js';
import type { PluginObjects } from './events/plugin-objects.js';
import type { Foundation, StoredCertificates } from './foundation.js';
import { freePort } from './free-port.js';
import type { Installation } from './installation.js';
import { platformActions, type PlatformActions } from './platform-actions.js';
import { SealingKeys } from './sealing/sealing-keys.js';
import { ownMetricsPage } from './served/metrics-page.js';
import type { Starting } from './starting.js';
import type { PrimaryCalls } from './workers/calls.js';
import { makePool } from './workers/make-pool.js';
import { refuseOtherVersions, versionsOf } from './workers/versions.js';
import { workerDesks } from './workers/worker-desks.js';
import type { WorkerPool } from './workers/worker-pool.js';

export interface PrimaryApiParts {
  readonly installation: Installation;
  readonly schedulers: Pick<ClusterSchedulers, 'all'>;
  readonly pluginObjects: PluginObjects;
}

/** The API as clients reach it. */
export interface PrimaryApi {
  readonly api: ApiService;
  readonly actions: PlatformActions;
  readonly url: string;
  readonly files: ConnectionFiles;
}

/** Access to the workers and the token holder, which become available later or not at all. */
interface Others {
  /** Returns undefined before workers are started, and if there are none. */
  readonly workers: () => WorkerPool | undefined;
  readonly revoke: PrimaryCalls['revoked'];
  /** Resolves once the connection files are written. */
  readonly tokenHolder: Promise<AdminTokenHolder>;
}

/** Serves the API: without workers to all clients; with workers only to the platform's own processes, while workers serve clients. */
export async function servePrimary(starting: Starting, foundation: Foundation, parts: PrimaryApiParts): Promise<PrimaryApi> {
  const { clock, random } = starting.options;
  const { kernel, settings } = foundation;
  let workers: WorkerPool | undefined;
  const tokenHolder = Promise.withResolvers<AdminTokenHolder>();
  const revoke: PrimaryCalls['revoked'] = async (credentialIds) => {
    api.revoke(credentialIds);
    await workers?.revoke(credentialIds);
  };
  const actions = primaryActions(starting, foundation, parts, { workers: () => workers, revoke, tokenHolder: tokenHolder.promise });
  const ownMetrics = ownMetricsPage(kernel);
  const metricsName = random().toString(36).slice(2);
  const kept = await foundation.certificates();
  const certificates = kept.current;
  const api = await ApiService.start(starting, foundation, {
    ...(settings.workers === 0 ? settings : { host: '127.0.0.1', port: 0 }),
    certificates,
    actions,
    spreadRevoked: async (credentialIds) => workers?.revoke(credentialIds),
    metrics: () => workers?.metrics() ?? ownMetrics(),
    metricsOf: metricsName,
  });
  renewInTime(starting, kept, api, () => workers);
  const connectEngine = engineConnector(foundation, `https://127.0.0.1:${api.port}`, certificates);
  kernel.connectEngines(connectEngine);
  const port = settings.workers === 0 ? api.port : settings.port || (await freePort(settings.host));
  const url = `https://127.0.0.1:${port}`;
  const files = await writeConnectionFiles(foundation, url, certificates.authority, starting.options);
  tokenHolder.resolve(files.holder);
  if (settings.workers > 0) {
    workers = makePool(starting, foundation, {
      port,
      certificates,
      calls: { ...actions, connectEngine, revoked: revoke, ...stateCalls(foundation.state) },
      desk: workerDesks({ clock, reportOpen: (worker, open) => parts.pluginObjects.reportOpen(worker, open) }),
      ownMetrics,
      metricsName,
    });
    await workers.start();
  }
  return { api, actions, url, files };
}

function primaryActions(
  starting: Starting,
  { kernel, engines, keyFile, store, identity }: Foundation,
  { installation, schedulers, pluginObjects }: PrimaryApiParts,
  { workers, revoke, tokenHolder }: Others,
): PlatformActions {
  const { clock, version, installedVersion } = starting.options;
  return platformActions({
    kernel,
    engines,
    installation,
    sealingKeys: new SealingKeys({ file: keyFile, store, spread: async () => workers()?.rereadKeys(), clock }),
    clock,
    log: starting.options.log,
    signal: starting.signal,
    forgetKind: async (kind) => workers()?.forgetKind(kind),
    schedulers: () => schedulers.all,
    async spread() {
      const pool = workers();
      if (pool === undefined) return;
      await pool.reload();
      engines.rebuildClaims();
    },
    replaceAdminToken: adminTokenReplacement({
      identity,
      holder: tokenHolder,
      spread: async () => workers()?.rereadAdminToken(),
      revoke,
    }),
    async replaceWorkers() {
      const pool = workers();
      if (pool === undefined) return 0;
      refuseOtherVersions(versionsOf(version, []), versionsOf((await installedVersion?.()) ?? version, []));
      return pool.beginReplacing();
    },
    reportRefused: (problems) => pluginObjects.sync(problems),
  });
}

function renewInTime(
  { options: { log }, signal }: Starting,
  { options, current }: StoredCertificates,
  api: ApiService,
  workers: () => WorkerPool | undefined,
): void {
  void keepCertificatesFresh(options, current, {
    renewed(next) {
      api.renew(next);
      void workers()?.renew(next);
    },
    failed: (error) => log.error('the certificates of the API could not be looked after; those in use stay', { error }),
    signal,
  });
}

function stateCalls(state: Foundation['state']): Pick<PrimaryCalls, 'stateGet' | 'stateSet' | 'stateDelete'> {
  return { stateGet: state.get, stateSet: state.set, stateDelete: state.delete };
}
