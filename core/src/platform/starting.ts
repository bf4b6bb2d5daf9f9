import type { Clock, ResourceStore } from '@tappaas/sdk';
import type { Log } from '../telemetry/log.js';
import { stopStep, type StopStep } from './stop-step.js';
import type { PrimaryCalls, WorkerStart } from './workers/calls.js';
import type { Peer } from './workers/peer.js';
import type { WorkerProcess } from './workers/worker-process.js';

export interface PlatformOptions {
  readonly configFile: string;
  /** Base directory of relative paths in settings. */
  readonly directory: string;
  readonly clock: Clock;
  readonly random: () => number;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly log: Log;
  readonly version: string;
  /** Returns the installed version of this package, which differs after an upgrade without a restart. */
  readonly installedVersion?: () => Promise<string>;
  /** Aborts the start; has no effect once the platform is running. */
  readonly giveUp?: AbortSignal;
  /** Replaces the first administrator's token, for one that is lost. */
  readonly isTokenReplaced?: boolean;
  /** Starts a worker process, if the configuration has workers. */
  readonly forkWorker?: () => WorkerProcess;
}

/** What a worker process receives from the platform's process. */
export interface WorkerSeat extends Pick<WorkerStart, 'name' | 'host' | 'port' | 'certificates' | 'metricsOf'> {
  readonly store: ResourceStore;
  readonly primary: Peer<PrimaryCalls>;
}

/** Time limit for parts whose steps have limits of their own: plugins by level, sinks, and workers. */
export const ownLimitsMsMax = 120_000;

/** The options of a start, and the steps that stop what was started, in reverse order. */
export class Starting {
  readonly options: PlatformOptions;
  readonly seat: WorkerSeat | undefined;
  readonly #steps: StopStep[] = [];
  readonly #stopping = new AbortController();

  constructor(options: PlatformOptions, seat?: WorkerSeat) {
    this.options = options;
    this.seat = seat;
  }

  /** Name of this process in request ids and in the audit log. */
  get replica(): string {
    return this.seat?.name ?? 'r0';
  }

  /** Aborts when the platform begins to stop. */
  get signal(): AbortSignal {
    return this.#stopping.signal;
  }

  /** @throws when the platform is stopping, because nothing may be started then */
  onStop(step: StopStep): void {
    this.#steps.push(step);
    this.signal.throwIfAborted();
  }

  /** Returns the result of `run`; if it fails or is aborted, stops everything that was started. */
  async orStop<T>(run: () => Promise<T>): Promise<T> {
    this.options.giveUp?.throwIfAborted();
    const over = new AbortController();
    const begun = run();
    try {
      return await Promise.race([begun, rejection(this.options.giveUp, over.signal)]);
    } catch (error) {
      await this.stop();
      // An aborted start still finishes its current step, whose parts are stopped like the rest.
      await stopStep({ what: 'the start', stop: () => Promise.allSettled([begun]) }, this.options);
      await this.stop();
      throw error;
    } finally {
      over.abort();
    }
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    for (const step of this.#steps.splice(0).toReversed()) await stopStep(step, this.options);
  }
}

/** Returns a promise that rejects when `signal` aborts, unless `over` aborts before. */
function rejection(signal: AbortSignal | undefined, over: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const aborted = (): void => reject(signal?.reason as Error);
    if (signal?.aborted) aborted();
    else signal?.addEventListener('abort', aborted, { once: true, signal: over });
  });
}
