import { readFile } from 'node:fs/promises';
import { startWorker, type Worker } from './api-worker.js';
import { openRemoteStore } from '../../store/remote/remote-store.js';
import type { ToClient, ToServer } from '../../store/remote/protocol.js';
import { createLog } from '../../telemetry/log.js';
import { pluginOf } from '../../kernel/kernel.js';
import { systemClock } from '../system-clock.js';
import type { PrimaryCalls, WorkerCalls } from './calls.js';
import { ipcChannel, type IpcPort } from './ipc-channel.js';
import { connectPeer } from './peer.js';
import { versionsOf } from './versions.js';

/** Access to the process for a worker. */
export interface WorkerProcessParts {
  /** Connection to the platform's process. */
  readonly primary: IpcPort;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly stderr: { readonly isTTY?: boolean; write(text: string): unknown };
  readonly onSignal: (signal: 'SIGINT' | 'SIGTERM' | 'SIGHUP', listener: () => void) => void;
  readonly onUncaught: (listener: (error: unknown) => void) => void;
  readonly exit: (code: number) => void;
}

/** Serves the API until the platform's process requests draining or disappears. */
export async function serveAsWorker({ primary, env, stderr, onSignal, onUncaught, exit }: WorkerProcessParts): Promise<void> {
  const log = createLog({ write: (text) => stderr.write(text), clock: systemClock, format: stderr.isTTY ? 'text' : 'json', level: 'info' });
  const running = Promise.withResolvers<Worker>();
  running.promise.catch(() => undefined);
  const own: WorkerCalls = {
    reload: async () => void (await (await running.promise).kernel.reload()),
    revoked: async (credentialIds) => (await running.promise).revoke(credentialIds),
    renew: async (certificates) => (await running.promise).renew(certificates),
    rereadAdminToken: async () => (await running.promise).rereadAdminToken(),
    rereadKeys: async () => (await running.promise).rereadKeys(),
    forgetKind: async (kind) => (await running.promise).forgetKind(kind),
    metrics: async () => (await running.promise).metrics(),
    alive: async () => undefined,
    flowGrants: async (grants) => (await running.promise).granted(grants),
    async drain() {
      await (await running.promise).drain();
      exit(0);
    },
  };
  // Ctrl-C reaches the whole process group, but only the platform's process decides when to stop.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) onSignal(signal, () => undefined);
  onUncaught((error) => {
    const plugin = pluginOf(error);
    if (plugin !== undefined) return log.forPlugin(plugin).error(`plugin ${plugin} caused an uncaught error`, { error });
    log.error('an uncaught error ends a worker of the API', { error });
    exit(1);
  });
  primary.once('disconnect', () => exit(1));
  try {
    const platform = connectPeer<WorkerCalls, PrimaryCalls>({ channel: ipcChannel(primary, 'calls'), own, clock: systemClock });
    // Both must listen from the same turn on, because messages without a listener are lost.
    const opening = openRemoteStore({ channel: ipcChannel<ToServer, ToClient>(primary, 'store'), clock: systemClock });
    const [start, store] = await Promise.all([platform.call('begin'), opening]);
    const version = (JSON.parse(await readFile(new URL('../../../package.json', import.meta.url), 'utf8')) as { version: string }).version;
    await platform.call('compareVersions', versionsOf(version, []));
    const options = {
      configFile: start.configFile,
      directory: start.directory,
      clock: systemClock,
      random: Math.random,
      env,
      log,
      version,
    };
    running.resolve(await startWorker(options, { ...start, store, primary: platform }));
    await platform.call('ready');
  } catch (error) {
    log.error('a worker of the API did not start', { error });
    exit(1);
  }
}
