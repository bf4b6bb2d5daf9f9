import type { Clock, ResourceStore } from '@tappaas/sdk';
import type { Log } from '../telemetry/log.js';
import { stopStep, type StopStep } from './stop-step.js';
import type { PrimaryCalls, WorkerStart } from './workers/calls.js';
import type { Peer } from './workers/peer.js';
import type { WorkerProcess } from './workers/worker-process.js';

export interface PlatformOptions {
  readonly configFile: string;
  /** Directory that relative paths of settings start from. */
  readonly directory: string;
  readonly clock: Clock;
  readonly random: () => number;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly log: Log;
  readonly version: string;
  /** The version of this package that is installed now: another one when somebody has upgraded it without a restart. */
  readonly installedVersion?: () => Promise<string>;
  /** Gives the start up when it aborts; nothing once the platform runs. */
  readonly giveUp?: AbortSignal;
  /** The first administrator gets another token, in place of one that is lost. */
  readonly isTokenReplaced?: boolean;
  /** Starts a process that serves the API, for a configuration that asks for some. */
  readonly forkWorker?: () => WorkerProcess;
}

/** What a process that only serves the API has from the platform's own. */
export interface WorkerSeat extends Pick<WorkerStart, 'name' | 'host' | 'port' | 'certificates' | 'metricsOf'> {
  readonly store: ResourceStore;
  readonly primary: Peer<PrimaryCalls>;
}

/** For parts with limits of their own: plugins level by level, sinks and workers as they are configured. */
export const ownLimitsMsMax = 120_000;

/** What each part is started with, and where it says how it is stopped: everything that was started, in reverse. */
export class Starting {
  readonly options: PlatformOptions;
  readonly seat: WorkerSeat | undefined;
  readonly #steps: StopStep[] = [];
  readonly #stopping = new AbortController();

  constructor(options: PlatformOptions, seat?: WorkerSeat) {
    this.options = options;
    this.seat = seat;
  }

  /** Names this process in request ids and in the audit log. */
  get replica(): string {
    return this.seat?.name ?? 'r0';
  }

  /** Aborts when the platform begins to stop. */
  get signal(): AbortSignal {
    return this.#stopping.signal;
  }

  /** @throws when the platform is stopping: nothing is started after that. */
  onStop(step: StopStep): void {
    this.#steps.push(step);
    this.signal.throwIfAborted();
  }

  /** Answers what `run` does; what was started until it failed, or was given up, is stopped again. */
  async orStop<T>(run: () => Promise<T>): Promise<T> {
    this.options.giveUp?.throwIfAborted();
    const over = new AbortController();
    const begun = run();
    try {
      return await Promise.race([begun, rejection(this.options.giveUp, over.signal)]);
    } catch (error) {
      await this.stop();
      // A start that was given up goes on to its next step; what that had started is stopped like the rest.
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

/** Rejects when `signal` aborts, unless that is over before. */
function rejection(signal: AbortSignal | undefined, over: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const aborted = (): void => reject(signal?.reason as Error);
    if (signal?.aborted) aborted();
    else signal?.addEventListener('abort', aborted, { once: true, signal: over });
  });
}
