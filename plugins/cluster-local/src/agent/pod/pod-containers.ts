import { join } from 'node:path';
import type { Container, Immutable, Pod } from '@tappaas/sdk';
import { remove } from '../removal.js';
import { logFiles, type LogFiles } from '../log/log-files.js';
import { launch, type Launched } from '../process/launch.js';
import { markOfRun } from '../process/marked.js';
import { ContainerRun } from './container-run.js';
import { prepareContainer, type Obstacle, type Prepared } from './container-start.js';
import type { ContainerRecord, Running, Terminated } from './container-state.js';
import { runHook } from './lifecycle-hooks.js';
import type { PodContext } from './pod-context.js';
import type { PodEvent } from './pod-events.js';
import type { PodJournal } from './pod-journal.js';
import type { ContainerHealth } from './pod-status.js';
import type { Beside } from './probe-check.js';
import { readReferred } from './referred-objects.js';

export interface PodContainersOptions {
  readonly pod: () => Immutable<Pod>;
  readonly directory: string;
  readonly journal: PodJournal;
  readonly context: PodContext;
  readonly signal: AbortSignal;
  /** Whether the pod is ending, so that no container is started any more. */
  readonly isEnding: () => boolean;
  readonly onChange: () => void;
  readonly recordEvent: (event: PodEvent) => void;
}

/** Why a container cannot start, and when the start is retried. */
export interface Obstruction {
  readonly obstacle: Obstacle;
  readonly retryAtMs: number;
}

/** Delay before a failed start is retried, milliseconds. */
const retryMs = 2000;
const postStartMsMax = 60_000;

/** Starts, adopts and stops the containers of one pod. */
export class PodContainers {
  readonly #options: PodContainersOptions;
  readonly #runs = new Map<string, ContainerRun>();
  readonly #hindrances = new Map<string, Obstruction>();

  constructor(options: PodContainersOptions) {
    this.#options = options;
  }

  get runs(): ReadonlyMap<string, ContainerRun> {
    return this.#runs;
  }

  get obstructions(): ReadonlyMap<string, Obstruction> {
    return this.#hindrances;
  }

  get health(): ReadonlyMap<string, ContainerHealth> {
    return new Map([...this.#runs].map(([name, run]) => [name, run.health]));
  }

  /** The pod's containers in the order of their start: init containers first. */
  get declared(): readonly Immutable<Container>[] {
    const { spec } = this.#options.pod();
    return [...(spec?.initContainers ?? []), ...(spec?.containers ?? [])];
  }

  logOf(container: string, run: number): LogFiles {
    return logFiles(join(this.#options.directory, 'containers', container), run);
  }

  /** Adopts the containers that are running already. */
  async adopt(): Promise<void> {
    for (const container of this.declared) {
      const { state, starts } = this.#options.journal.container(container.name);
      if (state.is !== 'running') continue;
      const beside = await this.#options.journal.besideOf(container.name);
      const mark = markOfRun(this.#options.pod().metadata.uid, container.name, starts);
      this.#attach(container, state, { files: this.logOf(container.name, starts), beside, mark });
    }
  }

  /** Starts a container, or records why that is not possible now. */
  async start(name: string): Promise<void> {
    const { journal, context, isEnding, recordEvent } = this.#options;
    const container = this.declared.find((found) => found.name === name);
    const nowMs = context.clock.nowMs();
    if (container === undefined || (this.#hindrances.get(name)?.retryAtMs ?? 0) > nowMs) return;
    const record = journal.container(name);
    const prepared = await this.#prepare(container, record.starts + 1);
    if (isEnding()) return;
    if (!('launch' in prepared)) {
      recordEvent({ type: 'Warning', reason: prepared.reason, message: `container ${name}: ${prepared.message}` });
      this.#hindrances.set(name, { obstacle: prepared, retryAtMs: context.clock.nowMs() + retryMs });
      return;
    }
    this.#hindrances.delete(name);
    await this.#launch(container, record, prepared);
    if (record.starts > 1) await Promise.all(Object.values(this.logOf(name, record.starts - 1)).map(remove));
  }

  /** Terminates all containers, and kills them after the grace period. */
  async stop(graceMs: number, why?: string): Promise<void> {
    await Promise.all([...this.#runs.values()].map((run) => run.stop(graceMs, why)));
  }

  /** Stops containers whose image has changed, so that they are started again. */
  replaceChanged(graceMs: number): void {
    for (const { name, image = '' } of this.declared) {
      const before = this.#options.journal.container(name).image;
      if (before !== undefined && before !== image) void this.#runs.get(name)?.stop(graceMs, `the image changed to ${image}`);
    }
  }

  /** Runs the preStop hooks. */
  async preStop(atMostMs: number): Promise<void> {
    const { journal, context, signal, recordEvent } = this.#options;
    await Promise.all(
      this.declared.map(async (container) => {
        const run = this.#runs.get(container.name);
        if (!run) return;
        const options = { container, hostPorts: journal.hostPorts, beside: run.beside, clock: context.clock, atMostMs, signal };
        const found = await Promise.race([runHook(container.lifecycle?.preStop, options), run.over]);
        if (found && !found.healthy) {
          recordEvent({
            type: 'Warning',
            reason: 'FailedPreStopHook',
            message: `preStop hook of container ${container.name} failed: ${found.message}`,
          });
        }
      }),
    );
  }

  /** Stops following the processes, which keep running. */
  abandon(): void {
    for (const run of this.#runs.values()) run.abandon();
  }

  async #prepare(container: Immutable<Container>, run: number): Promise<Prepared | Obstacle> {
    const { pod, directory, journal, context } = this.#options;
    try {
      const objects = await readReferred(pod(), context.api);
      return await prepareContainer(
        { pod: pod(), container, podDirectory: directory, hostPorts: journal.hostPorts, objects, run },
        context,
      );
    } catch (error) {
      return { reason: 'CreateContainerError', message: error instanceof Error ? error.message : String(error) };
    }
  }

  async #launch(container: Immutable<Container>, record: ContainerRecord, prepared: Prepared): Promise<void> {
    const { pod, journal, context, recordEvent } = this.#options;
    const { files, beside, mark, imageId } = prepared;
    const launched = this.#tryLaunch(container.name, prepared);
    if (launched === undefined) return;
    const state: Running = { is: 'running', identity: launched.identity, startedAtMs: context.clock.nowMs() };
    const last = record.state.is === 'terminated' ? record.state : record.last;
    await journal.saveContainer(pod(), container.name, {
      state,
      ...(last ? { last } : {}),
      starts: record.starts + 1,
      failures: record.failures,
      imageId,
      image: container.image ?? '',
      place: { prefix: beside.prefix, cwd: beside.cwd },
    });
    const run = this.#attach(container, state, { files, beside, mark, ended: launched.ended });
    launched.begin();
    recordEvent({ type: 'Normal', reason: 'Started', message: `started container ${container.name}, process ${state.identity.pid}` });
    void this.#postStart(container, run, beside);
  }

  #tryLaunch(name: string, prepared: Prepared): Launched | undefined {
    const { context, recordEvent } = this.#options;
    try {
      return launch(prepared.launch);
    } catch (error) {
      const obstacle = { reason: 'CreateContainerError', message: error instanceof Error ? error.message : String(error) };
      recordEvent({ type: 'Warning', ...obstacle });
      this.#hindrances.set(name, { obstacle, retryAtMs: context.clock.nowMs() + retryMs });
      return undefined;
    }
  }

  async #postStart(container: Immutable<Container>, run: ContainerRun, beside: Beside): Promise<void> {
    const { pod, journal, context, signal } = this.#options;
    const options = { container, hostPorts: journal.hostPorts, beside, clock: context.clock, atMostMs: postStartMsMax, signal };
    const { healthy, message } = await runHook(container.lifecycle?.postStart, options);
    const graceMs = (pod().spec?.terminationGracePeriodSeconds ?? 30) * 1000;
    if (!healthy) await run.stop(graceMs, `postStart hook failed: ${message}`);
  }

  #attach(
    container: Immutable<Container>,
    state: Running,
    how: { readonly files: LogFiles; readonly beside: Beside; readonly mark: string; readonly ended?: Promise<void> },
  ): ContainerRun {
    const { journal, context, onChange, recordEvent } = this.#options;
    const run = new ContainerRun({
      ...how,
      container,
      state,
      hostPorts: journal.hostPorts,
      logBytesMax: () => context.settings.logBytesMax,
      clock: context.clock,
      onHealth({ ready, message }) {
        if (!ready && message !== undefined) recordEvent({ type: 'Warning', reason: 'Unhealthy', message });
        onChange();
      },
      onEnd: (end) => this.#onEnd(container.name, end),
    });
    this.#runs.set(container.name, run);
    run.begin();
    return run;
  }

  async #onEnd(name: string, end: Terminated): Promise<void> {
    const { pod, journal, context, isEnding, onChange, recordEvent } = this.#options;
    const record = journal.container(name);
    const isLong = end.finishedAtMs - end.startedAtMs >= context.settings.restart.resetMs;
    this.#runs.delete(name);
    if (end.exitCode !== 0 && !isEnding()) {
      recordEvent({
        type: 'Warning',
        reason: 'Failed',
        message: `container ${name} ended with ${end.exitCode}${end.message === undefined ? '' : `: ${end.message}`}`,
      });
    }
    await journal.saveContainer(pod(), name, { ...record, state: end, failures: isLong ? 1 : record.failures + 1 });
    onChange();
  }
}
