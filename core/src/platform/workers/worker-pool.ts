import type { Clock, Logger, ResourceStore } from '@tappaas/sdk';
import type { LocalCertificates } from '../../api/certificates/certificates.js';
import type { ReadLeases } from '../../store/remote/read-leases.js';
import type { PrimaryCalls, WorkerCalls, WorkerStart } from './calls.js';
import type { ProcessMetrics } from './merged-metrics.js';
import type { Peer } from './peer.js';
import { launchWorker } from './launch-worker.js';
import type { Versions } from './versions.js';
import type { OpenDesk, WorkerDesk } from './worker-desks.js';
import { endWorker, isAnswering, silenceMsMax, type WorkerProcess } from './worker-process.js';
import { workerNames } from './worker-names.js';

export interface WorkerPoolOptions {
  /** Starts a process that will connect as a worker. */
  readonly fork: () => WorkerProcess;
  readonly workers: number;
  readonly store: ResourceStore;
  /** Read leases, which every write recalls. */
  readonly leases: ReadLeases;
  readonly clock: Clock;
  readonly log: Logger;
  readonly start: Omit<WorkerStart, 'name' | 'certificates'>;
  readonly certificates: LocalCertificates;
  /** Returns the versions that the platform's process runs. */
  readonly versions: () => Versions;
  readonly calls: Omit<PrimaryCalls, 'begin' | 'compareVersions' | 'ready' | 'metrics' | keyof WorkerDesk['calls']>;
  /** Called for each process that starts. */
  readonly desk: OpenDesk;
  readonly ownMetrics: () => Promise<string>;
  readonly mergeMetrics: (pages: readonly ProcessMetrics[]) => string;
}

type PeerCall = (peer: Peer<WorkerCalls>) => Promise<unknown>;

const askEveryMs = 5_000;
const backOffMsMin = 1_000;
const backOffMsMax = 30_000;
/** While no other worker serves, a longer back-off would help no one. */
const backOffAloneMsMax = 2_000;
/** A worker that ran for this long before it ended is restarted immediately. */
const steadyMs = 60_000;

interface Seat {
  /** A replacement uses the other name: for a while both run, each with its own audit chain. */
  names: readonly [now: string, next: string];
  process: WorkerProcess | undefined;
  peer: Peer<WorkerCalls> | undefined;
  backOffMs: number;
  /** Serializes the actions on its process, so that there is one process, or one with its successor. */
  last: Promise<void>;
}

/** A process from its start to its end. */
interface Living {
  readonly name: string;
  readonly process: WorkerProcess;
  isServing: boolean;
}

/**
 * The processes that serve the API beside the one that owns the store: started, restarted when they end, replaced one after another without
 * a gap, and drained at the end.
 */
export class WorkerPool {
  readonly #options: WorkerPoolOptions;
  readonly #seats: Seat[];
  /** From start to end of each process. */
  readonly #living = new Map<Peer<WorkerCalls>, Living>();
  /** Changes since each starting worker began, which are sent to it once it serves. */
  readonly #missed = new Set<Map<string, PeerCall>>();
  readonly #stopping = new AbortController();
  #certificates: LocalCertificates;
  #replacing: Promise<void> = Promise.resolve();

  constructor(options: WorkerPoolOptions) {
    this.#options = options;
    this.#certificates = options.certificates;
    this.#seats = Array.from({ length: options.workers }, (_, index) => ({
      names: workerNames(index),
      process: undefined,
      peer: undefined,
      backOffMs: backOffMsMin,
      last: Promise.resolve(),
    }));
  }

  /** Resolves when all workers serve. @throws TAP_PROCESS_FAILED */
  async start(): Promise<void> {
    await Promise.all(this.#seats.map((seat) => this.#occupy(seat)));
  }

  /** Makes every worker reload the configuration. */
  async reload(): Promise<void> {
    await this.#callAll('reload', (peer) => peer.call('reload'));
  }

  /** Reports revoked credentials to every worker. */
  async revoke(credentialIds: readonly string[]): Promise<void> {
    // A starting worker has cached no credentials yet; a draining one still serves streams.
    const failed = (error: unknown): void =>
      this.#options.log.error('a worker of the API was not notified of revoked credentials', { error });
    await Promise.all(this.#serving().map(([peer]) => peer.call('revoked', credentialIds).catch(failed)));
  }

  /**
   * Makes every worker read the first administrator's new token. A worker that fails to is ended, since it would keep accepting the old
   * one.
   */
  async rereadAdminToken(): Promise<void> {
    const reread: PeerCall = (peer) => peer.call('rereadAdminToken');
    for (const missed of this.#missed) missed.set('the administrator’s new token', reread);
    await Promise.all(
      this.#serving().map(([peer, { name, process }]) =>
        reread(peer).catch((error: unknown) => {
          this.#options.log.error(`worker ${name} of the API could not read the administrator’s new token and is ended`, { error });
          process.kill();
        }),
      ),
    );
  }

  async renew(certificates: LocalCertificates): Promise<void> {
    this.#certificates = certificates;
    await this.#callAll('new certificates', (peer) => peer.call('renew', certificates));
  }

  /** Makes every live process read the keys, including those starting or draining. @throws TAP_PROCESS_FAILED when one could not */
  async rereadKeys(): Promise<void> {
    await Promise.all(
      [...this.#living.keys()].map((peer) =>
        peer.call('rereadKeys').catch((error: unknown) => {
          if (this.#living.has(peer)) throw error;
        }),
      ),
    );
  }

  async forgetKind(kind: string): Promise<void> {
    await this.#callAll(`${kind} was purged`, (peer) => peer.call('forgetKind', kind));
  }

  /** Begins to replace every worker, one after another; the old process ends once the new one serves. */
  beginReplacing(): number {
    this.#replacing = this.#replacing
      .then(() => this.#replaceAll())
      .catch((error: unknown) => this.#options.log.error('the workers of the API were not all replaced', { error }));
    return this.#seats.length;
  }

  async close(): Promise<void> {
    this.#stopping.abort();
    await this.#replacing;
    await Promise.all(this.#seats.map(({ process, peer }) => endWorker(process, peer, this.#options.clock)));
  }

  async metrics(): Promise<string> {
    const { ownMetrics, mergeMetrics } = this.#options;
    const workers = this.#seats.map(async ({ names: [name], peer }): Promise<ProcessMetrics> => {
      return { process: name, text: (await peer?.call('metrics').catch(() => undefined)) ?? '' };
    });
    return mergeMetrics(await Promise.all([ownMetrics().then((text) => ({ process: 'primary', text })), ...workers]));
  }

  async #replaceAll(): Promise<void> {
    for (const seat of this.#seats) {
      if (this.#stopping.signal.aborted) return;
      let replaced: Pick<Seat, 'process' | 'peer'> | undefined;
      await inTurn(seat, async () => {
        const { process, peer, names } = seat;
        await this.#occupy(seat, [names[1], names[0]]);
        replaced = { process, peer };
      });
      // The seat is released meanwhile, so that the successor can be restarted should it end.
      await endWorker(replaced?.process, replaced?.peer, this.#options.clock);
    }
  }

  /** Starts a process for a seat and waits until it serves. */
  async #occupy(seat: Seat, names = seat.names): Promise<void> {
    const { clock } = this.#options;
    const [name] = names;
    const startedMs = clock.nowMs();
    const { process, peer, ready, ended } = launchWorker({
      ...this.#options,
      name,
      certificates: () => this.#certificates,
      metrics: () => this.metrics(),
      stopping: this.#stopping.signal,
    });
    const living: Living = { name, process, isServing: false };
    this.#living.set(peer, living);
    void process.ended.then(() => this.#living.delete(peer));
    const missed = new Map<string, PeerCall>();
    this.#missed.add(missed);
    try {
      await ready;
    } finally {
      this.#missed.delete(missed);
    }
    living.isServing = true;
    Object.assign(seat, { names, process, peer });
    for (const [what, callPeer] of missed) void this.#callPeer(name, peer, what, callPeer);
    void this.#askWhetherAlive(name, peer, process);
    void ended.then((reason) => this.#again(seat, process, reason, clock.nowMs() - startedMs));
  }

  /** Ends a worker that does not respond: it serves nothing but keeps its resources, for which clients and other processes wait. */
  async #askWhetherAlive(name: string, peer: Peer<WorkerCalls>, process: WorkerProcess): Promise<void> {
    const { clock, log } = this.#options;
    while (this.#living.has(peer)) {
      await clock.sleep(askEveryMs, this.#stopping.signal).catch(() => undefined);
      if (this.#stopping.signal.aborted || !this.#living.has(peer)) return;
      if ((await isAnswering(peer)) || !this.#living.has(peer)) continue;
      log.error(`worker ${name} of the API has not answered for ${silenceMsMax} ms and is ended`);
      process.kill();
      return;
    }
  }

  /** Restarts an ended worker, with back-off if it did not run for long. */
  async #again(seat: Seat, process: WorkerProcess, reason: string, livedMs: number): Promise<void> {
    if (seat.process !== process || this.#stopping.signal.aborted) return;
    this.#options.log.error(`worker ${seat.names[0]} of the API ended and is started again`, { reason });
    Object.assign(seat, { process: undefined, peer: undefined });
    if (livedMs > steadyMs) seat.backOffMs = backOffMsMin;
    else await this.#backOff(seat);
    await inTurn(seat, () => this.#reoccupy(seat));
  }

  /** Starts a process for the seat until one serves, with back-off; stops if another process takes the seat meanwhile. */
  async #reoccupy(seat: Seat): Promise<void> {
    const { log } = this.#options;
    while (!this.#stopping.signal.aborted && seat.process === undefined) {
      try {
        await this.#occupy(seat);
        return;
      } catch (error) {
        log.error(`worker ${seat.names[0]} of the API did not start`, { error, againInMs: seat.backOffMs });
        await this.#backOff(seat);
      }
    }
  }

  async #backOff(seat: Seat): Promise<void> {
    const isServed = this.#seats.some(({ process }) => process !== undefined);
    const waitMs = isServed ? seat.backOffMs : Math.min(seat.backOffMs, backOffAloneMsMax);
    await this.#options.clock.sleep(waitMs, this.#stopping.signal).catch(() => undefined);
    seat.backOffMs = Math.min(2 * seat.backOffMs, backOffMsMax);
  }

  /** Returns workers that serve, including draining ones. */
  #serving(): readonly (readonly [Peer<WorkerCalls>, Living])[] {
    return [...this.#living].filter(([, { isServing }]) => isServing);
  }

  /** Notifies the serving workers and waits for them; a starting one is notified once it serves. */
  async #callAll(what: string, callPeer: PeerCall): Promise<void> {
    for (const missed of this.#missed) missed.set(what, callPeer);
    await Promise.all(this.#seats.map(async ({ names: [name], peer }) => peer && this.#callPeer(name, peer, what, callPeer)));
  }

  async #callPeer(name: string, peer: Peer<WorkerCalls>, what: string, callPeer: PeerCall): Promise<void> {
    await callPeer(peer).catch((error: unknown) =>
      this.#options.log.error(`worker ${name} of the API did not take over: ${what}`, { error }),
    );
  }
}

function inTurn(seat: Seat, run: () => Promise<void>): Promise<void> {
  const done = seat.last.then(run);
  seat.last = done.catch(() => undefined);
  return done;
}
