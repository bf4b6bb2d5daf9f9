import type { Foundation } from '../foundation.js';
import { ownLimitsMsMax, type Starting } from '../starting.js';
import { mergedMetrics } from './merged-metrics.js';
import { versionsOf } from './versions.js';
import { WorkerPool, type WorkerPoolOptions } from './worker-pool.js';

export interface PoolParts extends Pick<WorkerPoolOptions, 'certificates' | 'calls' | 'desk' | 'ownMetrics'> {
  readonly port: number;
  readonly metricsName: string;
}

/** Makes the pool of configured workers over a foundation; it stops with the platform. */
export function makePool(
  starting: Starting,
  { kernel, settings: { workers, host }, store, leases }: Foundation,
  { port, certificates, calls, desk, ownMetrics, metricsName }: PoolParts,
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
