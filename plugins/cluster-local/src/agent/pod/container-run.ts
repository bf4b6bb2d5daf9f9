import type { Clock, Container, Immutable } from '@tappaas/sdk';
import type { LogFiles } from '../log/log-files.js';
import { LogPump } from '../log/log-pump.js';
import { isAlive, signalGroup } from '../process/identity.js';
import { readExit } from '../process/launch.js';
import { endMarked, markName } from '../process/marked.js';
import type { Running, Terminated } from './container-state.js';
import { terminated } from './container-state.js';
import type { Beside } from './probe-check.js';
import type { ContainerHealth } from './pod-status.js';
import { ContainerProbes } from './container-probes.js';

/** A container's process, started now or adopted from a previous agent. */
export interface RunOptions {
  readonly container: Immutable<Container>;
  readonly state: Running;
  readonly files: LogFiles;
  /** Resolves when the process ends; absent for an adopted process, which is polled instead. */
  readonly ended?: Promise<void>;
  readonly hostPorts: Readonly<Record<string, number>>;
  readonly beside: Beside;
  /** Value of the variable `markName` in the environment of the process and its descendants. */
  readonly mark: string;
  readonly logBytesMax: () => number;
  readonly clock: Clock;
  readonly onHealth: (health: ContainerHealth) => void;
  readonly onEnd: (end: Terminated) => Promise<void>;
}

const lookMs = 200;

/** Follows one process from start to end: its output, its probes, its exit code. */
export class ContainerRun {
  readonly #options: RunOptions;
  readonly #pump: LogPump;
  readonly #stop = new AbortController();
  readonly #probes: ContainerProbes;
  /** Resolves when the process has ended and its log is complete. */
  readonly over: Promise<void>;
  #endMessage: string | undefined;

  constructor(options: RunOptions) {
    this.#options = options;
    this.#pump = new LogPump(options.files, options.clock, options.logBytesMax);
    this.#pump.start();
    this.#probes = new ContainerProbes({
      ...options,
      groupId: options.state.identity.pid,
      signal: this.#stop.signal,
      onUnhealthy: (message) => void this.stop((options.container.livenessProbe?.terminationGracePeriodSeconds ?? 30) * 1000, message),
    });
    this.over = this.#follow();
  }

  get pump(): LogPump {
    return this.#pump;
  }

  get health(): ContainerHealth {
    return this.#probes.health;
  }

  get groupId(): number {
    return this.#options.state.identity.pid;
  }

  get beside(): Beside {
    return this.#options.beside;
  }

  /** Starts the probes. */
  begin(): void {
    this.#probes.start();
  }

  /**
   * Terminates the process, and kills it after the grace period; resolves when it has ended. `why` becomes the message of its termination.
   */
  async stop(graceMs: number, why?: string): Promise<void> {
    this.#endMessage ??= why;
    const { identity } = this.#options.state;
    if (graceMs > 0) {
      signalGroup(identity, 'SIGTERM');
      await Promise.race([this.over, this.#options.clock.sleep(graceMs, this.#stop.signal).catch(() => undefined)]);
    }
    signalGroup(identity, 'SIGKILL');
    await this.over;
  }

  /** Stops following the process, which keeps running for the next agent to adopt. */
  abandon(): void {
    this.#stop.abort();
    this.#pump.abandon();
  }

  async #follow(): Promise<void> {
    const { state, ended, clock, files, mark, onEnd } = this.#options;
    if (ended) await Promise.race([ended, aborted(this.#stop.signal)]);
    else while (!this.#stop.signal.aborted && isAlive(state.identity)) await clock.sleep(lookMs, this.#stop.signal).catch(() => undefined);
    if (this.#stop.signal.aborted) return;
    this.#stop.abort();
    await endMarked(markName, mark);
    // Abandoned meanwhile: the next agent reads the rest of the log and records the end.
    if (!(await this.#pump.close())) return;
    await onEnd(terminated(state, await readExit(files.exit), clock.nowMs(), this.#endMessage));
  }
}

const aborted = (signal: AbortSignal) =>
  new Promise<void>((resolve) => (signal.aborted ? resolve() : signal.addEventListener('abort', () => resolve(), { once: true })));
