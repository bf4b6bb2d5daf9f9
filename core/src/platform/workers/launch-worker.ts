import type { LocalCertificates } from '../../api/certificates/certificates.js';
import { serveStore } from '../../store/remote/store-server.js';
import { platformErrors } from '../errors.js';
import type { PrimaryCalls, WorkerCalls } from './calls.js';
import { ipcChannel } from './ipc-channel.js';
import { connectPeer, type Peer } from './peer.js';
import { refuseOtherVersions } from './versions.js';
import type { WorkerDesk } from './worker-desks.js';
import type { WorkerPoolOptions } from './worker-pool.js';
import type { WorkerProcess } from './worker-process.js';

const startMsMax = 60_000;

export interface LaunchParts extends Pick<
  WorkerPoolOptions,
  'fork' | 'store' | 'leases' | 'clock' | 'start' | 'versions' | 'calls' | 'desk'
> {
  readonly name: string;
  /** Returns the certificates in use when the worker asks. */
  readonly certificates: () => LocalCertificates;
  readonly metrics: () => Promise<string>;
  /** Aborts when the platform stops. */
  readonly stopping: AbortSignal;
}

/** The process of a worker, from its start. */
export interface LaunchedWorker {
  readonly process: WorkerProcess;
  readonly peer: Peer<WorkerCalls>;
  /** Resolves when it serves. If it fails to, the process is ended first, so that the next one with its name finds all resources free. */
  readonly ready: Promise<void>;
  /** Resolves with the reason when the process has ended and its resources are released. */
  readonly ended: Promise<string>;
}

/** Starts a process and provides it with calls and the store of the platform's process. */
export function launchWorker(parts: LaunchParts): LaunchedWorker {
  const { name, fork, store, leases, clock, desk: openDesk, stopping } = parts;
  const process = fork();
  const desk = openDesk(name, (grants) => peer.call('flowGrants', grants));
  const started = Promise.withResolvers<void>();
  const giveUp = (why: string): void => started.reject(platformErrors.TAP_PROCESS_FAILED({ message: `worker ${name} of the API ${why}` }));
  const own = { ...desk.calls, ...callsOf(parts, started, giveUp) };
  const peer = connectPeer<PrimaryCalls, WorkerCalls>({ channel: ipcChannel(process, 'calls'), own, clock });
  const served = serveStore({ store, leases, channel: ipcChannel(process, 'store'), clock });
  const ended = process.ended.then(async (reason) => {
    desk.close();
    await served.close();
    giveUp(`ended while it started: ${reason}`);
    return reason;
  });
  const untilReady = async (): Promise<void> => {
    const over = new AbortController();
    void clock.sleep(startMsMax, over.signal).then(
      () => giveUp(`did not serve within ${startMsMax} ms`),
      () => undefined,
    );
    const stopped = (): void => giveUp('was not waited for: the platform stops');
    stopping.addEventListener('abort', stopped, { once: true });
    if (stopping.aborted) stopped();
    try {
      await started.promise;
    } catch (error) {
      process.kill();
      await ended;
      throw error;
    } finally {
      over.abort();
      stopping.removeEventListener('abort', stopped);
    }
  };
  return { process, peer, ready: untilReady(), ended };
}

/**
 * Makes the calls of a starting worker. It counts as started when it reports so, after its versions were compared with those of this
 * process.
 */
function callsOf(
  { name, start, certificates, versions, calls, metrics }: LaunchParts,
  started: PromiseWithResolvers<void>,
  giveUp: (why: string) => void,
): Omit<PrimaryCalls, keyof WorkerDesk['calls']> {
  let hasCompared = false;
  return {
    ...calls,
    begin: async () => ({ ...start, name, certificates: certificates() }),
    async compareVersions(worker) {
      try {
        refuseOtherVersions(versions(), worker);
        hasCompared = true;
      } catch (error) {
        started.reject(error);
        throw error;
      }
    },
    ready: async () => (hasCompared ? started.resolve() : giveUp('did not report its version')),
    metrics,
  };
}
