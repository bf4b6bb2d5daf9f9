import { families, platformEngine } from '@tappaas/sdk';
import type { Kernel } from './kernel/kernel.js';
import { ClusterAccesses } from './platform/clusters/cluster-access.js';
import { ClusterSchedulers } from './platform/clusters/cluster-schedulers.js';
import type { ConnectionFiles } from './platform/connection-files.js';
import { startControllers } from './platform/controllers/controllers.js';
import type { Engines } from './platform/engines.js';
import { keepPluginObjects } from './platform/events/plugin-objects.js';
import { startRecordingEvents } from './platform/events/start-recording.js';
import { layFoundation } from './platform/foundation.js';
import { openInstallation } from './platform/installation.js';
import { servePrimary } from './platform/primary-api.js';
import { Starting, type PlatformOptions } from './platform/starting.js';

export type { PlatformOptions } from './platform/starting.js';

/** A running platform. */
export interface Platform extends Omit<ConnectionFiles, 'refresh' | 'holder'> {
  readonly url: string;
  readonly kernel: Kernel;
  readonly engines: Engines;
  /** Returns everything that the API serves, as paths and patterns. */
  paths(): readonly string[];
  /** Applies the current configuration in all processes. */
  reload(): Promise<void>;
  stop(): Promise<void>;
}

/** Starts everything in the order in which a request and then a reconcile pass through it. A failure stops it in reverse. */
export async function startPlatform(options: PlatformOptions): Promise<Platform> {
  const starting = new Starting(options);
  return starting.orStop(() => start(starting));
}

async function start(starting: Starting): Promise<Platform> {
  const { clock, random, log, version } = starting.options;

  // Plugins, store, identity, access, admission, resources, audit.
  const foundation = await layFoundation(starting);
  const { kernel, store, engines } = foundation;
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
  const pluginObjects = keepPluginObjects({ kernel, resources: engines.asPlatform(platformEngine), clock, log });
  starting.onStop({ what: 'Plugin objects', stop: () => pluginObjects.stop() });

  // The API, and the workers that serve it.
  const { api, actions, url, files } = await servePrimary(starting, foundation, { installation, schedulers, pluginObjects });

  // Reconcile and schedule.
  engines.collectGarbage();
  starting.onStop({ what: 'clusters', stop: () => clusters.close() });
  const controllers = startControllers({ kernel, engines, store, clusters, installation, clock, random, log });
  starting.onStop({ what: 'controllers', stop: () => controllers.stop() });
  await schedulers.follow();
  starting.onStop({ what: 'schedulers', stop: () => schedulers.stop() });
  kernel.startTasks();

  startRecordingEvents(starting, foundation);
  const { refresh, holder: _, ...connection } = files;
  api.follow(async () => {
    await controllers.follow();
    await schedulers.follow();
    await refresh();
    await pluginObjects.sync([]);
  });
  void pluginObjects.sync();
  foundation.certificateThread.release();
  return {
    url,
    ...connection,
    kernel,
    engines,
    paths: () => api.server.paths(),
    reload: async () => void (await actions.reload()),
    stop: () => starting.stop(),
  };
}
