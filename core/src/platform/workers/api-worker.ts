import type { LocalCertificates } from '../../api/certificates/certificates.js';
import type { ShareGrant } from '../../flow/shares/protocol.js';
import { ShareBook } from '../../flow/shares/share-book.js';
import type { Kernel } from '../../kernel/kernel.js';
import { ApiService } from '../api-service.js';
import { startRecordingEvents } from '../events/start-recording.js';
import { layFoundation } from '../foundation.js';
import type { PlatformActions } from '../platform-actions.js';
import { purgeKind } from '../purge-kind.js';
import { ownMetricsPage } from '../served/metrics-page.js';
import { Starting, type PlatformOptions, type WorkerSeat } from '../starting.js';
import { openBreakersOf } from './open-breakers.js';
import { versionsOf } from './versions.js';

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
  /** Closes its connections gradually, then stops. */
  drain(): Promise<void>;
}

/** A client that uses its connection at least this often is asked to close it, never disconnected. */
const drainLingerMs = 2_000;

/** Starts a process that serves the API beside others, over the store of the platform's process. */
export async function startWorker(options: PlatformOptions, seat: WorkerSeat): Promise<Worker> {
  const starting = new Starting(options, seat);
  return starting.orStop(() => serve(starting, seat));
}

/** Serves only the API, using the single instances of other parts in the platform's process. */
async function serve(starting: Starting, { host, port, certificates, metricsOf, primary }: WorkerSeat): Promise<Worker> {
  const foundation = await layFoundation(starting);
  const { kernel, settings } = foundation;
  const { clock, version, log } = starting.options;
  await primary.call('compareVersions', versionsOf(version, kernel.plugins()));
  kernel.connectEngines((engine, user) => primary.call('connectEngine', engine, user));
  const allowances = new ShareBook({ clock, processes: settings.workers, send: (reports) => primary.call('flowReport', reports) });
  const api = await ApiService.start(starting, foundation, {
    host,
    port,
    certificates,
    actions: actionsOf(primary),
    spreadRevoked: (credentialIds) => primary.call('revoked', credentialIds),
    metrics: () => primary.call('metrics'),
    metricsOf,
    allowances,
  });
  kernel.startTasks();
  startRecordingEvents(starting, foundation);
  const reportOpen = (): Promise<void> =>
    primary
      .call('openBreakers', openBreakersOf(kernel.plugins()))
      .catch((error: unknown) => log.warn('the open circuit breakers of this process could not be reported', { error }));
  kernel.onEvent(({ type }) => void (type.startsWith('breaker.') && reportOpen()));
  api.follow(reportOpen);
  return {
    kernel,
    revoke: (credentialIds) => api.revoke(credentialIds),
    granted: (grants) => allowances.granted(grants),
    renew: (next) => api.renew(next),
    rereadAdminToken: () => foundation.identity.rereadFirstToken(),
    rereadKeys: () => foundation.keyFile.reread(),
    forgetKind: async (kind) => void (await purgeKind({ engines: foundation.engines, clock, signal: starting.signal }, kind)),
    metrics: ownMetricsPage(kernel),
    async drain() {
      await api.server.close({ lingerMs: drainLingerMs });
      await starting.stop();
    },
  };
}

/** Actions that run once for the whole platform run in the platform's process. */
function actionsOf(primary: WorkerSeat['primary']): PlatformActions {
  return {
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
}
