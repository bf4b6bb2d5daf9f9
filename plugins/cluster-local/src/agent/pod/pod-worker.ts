import { join } from 'node:path';
import type { Container, Immutable, Pod } from '@tappaas/sdk';
import { hostPortsAnnotation } from '../../annotations.js';
import { Alarm } from '../alarm.js';
import { remove } from '../durable-file.js';
import { logFiles, type LogFiles } from '../log/log-files.js';
import type { LogPump } from '../log/log-pump.js';
import { launch } from '../process/launch.js';
import { ContainerRun } from './container-run.js';
import { makeVolumes, markName, prepareContainer, type Obstacle, type Prepared } from './container-start.js';
import { freshContainer, type ContainerRecord, type Running, type Terminated } from './container-state.js';
import type { PodContext } from './pod-context.js';
import { planPod, type PodStep } from './pod-plan.js';
import { PodJournal } from './pod-journal.js';
import { PodReporter } from './pod-reporter.js';
import type { PodRecord } from './pod-record.js';
import { podStatus, type ContainerHealth } from './pod-status.js';
import type { Beside } from './probe-check.js';
import { runHook } from './lifecycle-hooks.js';
import { readReferred } from './referred-objects.js';

/** How a pod ends. */
export interface Ending {
  readonly graceMs: number;
  /** The pod is over for good: its object and its directory go. Else its containers start anew with the next agent. */
  readonly isFinal: boolean;
}

/** How long a container that cannot start waits before the next try, milliseconds. */
const obstacleRetryMs = 2000;
/** How often mounted config maps and secrets are brought up to date, milliseconds. */
const refreshMs = 60_000;

/**
 * One pod, from the moment it is bound here until its directory is gone.
 *
 * One loop does everything in turn: look at the containers, plan, start what is due, report, wait for the next event. What runs is on
 * disk before it runs.
 */
export class PodWorker {
  readonly #context: PodContext;
  readonly #directory: string;
  readonly #journal: PodJournal;
  readonly #reporter: PodReporter;
  readonly #alarm: Alarm;
  readonly #stop = new AbortController();
  readonly #runs = new Map<string, ContainerRun>();
  readonly #obstacles = new Map<string, { readonly obstacle: Obstacle; readonly retryAtMs: number }>();
  #pod: Immutable<Pod>;
  #failure: Obstacle | undefined;
  #ending: Ending | undefined;
  #refreshAtMs: number;
  /** Resolves when the worker has let go of the pod. */
  readonly over: Promise<void>;

  constructor(pod: Immutable<Pod>, record: PodRecord | undefined, context: PodContext) {
    const { api, clock, log } = context;
    this.#context = context;
    this.#pod = pod;
    this.#directory = join(context.podsDirectory, pod.metadata.uid ?? '');
    this.#journal = new PodJournal(pod, record, this.#directory, context);
    this.#reporter = new PodReporter(api, clock, log, this.#stop.signal);
    this.#alarm = new Alarm(clock);
    this.#refreshAtMs = clock.nowMs() + refreshMs;
    this.over = this.#run();
  }

  get pod(): Immutable<Pod> {
    return this.#pod;
  }

  /** The pod's object changed. */
  update(pod: Immutable<Pod>): void {
    this.#pod = pod;
    this.#alarm.ring();
  }

  /** Ends the pod's processes; a later call can only shorten the grace. */
  end(ending: Ending): void {
    const isFinishing = this.#ending !== undefined;
    this.#ending = {
      graceMs: Math.min(ending.graceMs, this.#ending?.graceMs ?? Infinity),
      isFinal: ending.isFinal || this.#ending?.isFinal === true,
    };
    if (isFinishing) for (const run of this.#runs.values()) void run.stop(this.#ending.graceMs);
    this.#alarm.ring();
  }

  /** Lets go without touching the processes; the next agent adopts them. */
  async abandon(): Promise<void> {
    this.#stop.abort();
    for (const run of this.#runs.values()) run.abandon();
    await this.over;
    await this.#journal.settled();
  }

  /** Number of the present or last run of a container; the one before it is one less. */
  runOf(container: string): number {
    return this.#journal.container(container).starts;
  }

  logOf(container: string, run: number): LogFiles {
    return logFiles(join(this.#directory, 'containers', container), run);
  }

  pumpOf(container: string): LogPump | undefined {
    return this.#runs.get(container)?.pump;
  }

  /** Process groups of the running containers, by container. */
  groups(): ReadonlyMap<string, number> {
    return new Map([...this.#runs].map(([name, run]) => [name, run.groupId]));
  }

  async #run(): Promise<void> {
    await this.#journal.open();
    for (const container of this.#containers()) await this.#adopt(container);
    while (!this.#stop.signal.aborted) {
      if (this.#ending) return this.#finish();
      const againAtMs = await this.#step();
      await this.#alarm.wait(againAtMs, this.#stop.signal);
    }
  }

  async #adopt(container: Immutable<Container>): Promise<void> {
    const record = this.#journal.container(container.name);
    if (record.state.is !== 'running') return;
    const beside = await this.#journal.besideOf(container.name);
    this.#attach(container, record.state, {
      files: this.logOf(container.name, record.starts),
      beside,
      mark: this.#markOf(container.name, record.starts),
    });
  }

  /** One look at everything. Gives when to look again. */
  async #step(): Promise<number> {
    const { clock } = this.#context;
    await this.#announcePorts();
    await this.#refreshVolumes();
    const step = this.#plan();
    if (step.isOverdue)
      this.#fail({ reason: 'DeadlineExceeded', message: `the pod ran longer than ${this.#pod.spec?.activeDeadlineSeconds} s` });
    for (const name of step.start) await this.#start(name);
    for (const { name, image } of this.#containers()) this.#replaceChanged(name, image);
    const next = this.#plan();
    if (next.phase === 'Succeeded' || next.phase === 'Failed') for (const run of this.#runs.values()) void run.stop(this.#graceMs());
    this.#report(next);
    const retries = [...this.#obstacles.values()].map(({ retryAtMs }) => Math.max(retryAtMs, clock.nowMs() + 1));
    return Math.min(next.againAtMs ?? Infinity, this.#refreshAtMs, ...retries);
  }

  #plan(): PodStep {
    const { clock, settings } = this.#context;
    const started = new Set([...this.#runs].filter(([, run]) => run.health.started).map(([name]) => name));
    const { startedAtMs, containers } = this.#journal;
    const step = planPod({ pod: this.#pod, containers, started, startedAtMs, nowMs: clock.nowMs(), delays: settings.restart });
    return this.#failure ? { ...step, start: [], phase: 'Failed', delayed: new Map() } : step;
  }

  async #start(name: string): Promise<void> {
    const container = this.#containers().find((found) => found.name === name);
    const blocked = this.#obstacles.get(name);
    if (container === undefined || (blocked && blocked.retryAtMs > this.#context.clock.nowMs())) return;
    const record = this.#journal.container(name);
    const prepared = await this.#prepare(container, record.starts + 1);
    if (this.#isEnding()) return;
    if (!('launch' in prepared)) {
      this.#obstacles.set(name, { obstacle: prepared, retryAtMs: this.#context.clock.nowMs() + obstacleRetryMs });
      return;
    }
    this.#obstacles.delete(name);
    await this.#launch(container, record, prepared);
    if (record.starts > 1) await Promise.all(Object.values(this.logOf(name, record.starts - 1)).map(remove));
  }

  #isEnding(): boolean {
    return this.#ending !== undefined || this.#stop.signal.aborted;
  }

  async #prepare(container: Immutable<Container>, run: number): Promise<Prepared | Obstacle> {
    try {
      const objects = await readReferred(this.#pod, this.#context.api);
      const options = { pod: this.#pod, container, podDirectory: this.#directory, hostPorts: this.#journal.hostPorts, objects, run };
      return await prepareContainer(options, this.#context);
    } catch (error) {
      return { reason: 'CreateContainerError', message: error instanceof Error ? error.message : String(error) };
    }
  }

  async #launch(
    container: Immutable<Container>,
    record: ContainerRecord,
    { launch: how, files, beside, mark, imageId }: Prepared,
  ): Promise<void> {
    const launched = launch(how);
    const state: Running = { is: 'running', identity: launched.identity, startedAtMs: this.#context.clock.nowMs() };
    const last = record.state.is === 'terminated' ? record.state : record.last;
    await this.#journal.saveContainer(this.#pod, container.name, {
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
    void this.#postStart(container, run, beside);
  }

  async #postStart(container: Immutable<Container>, run: ContainerRun, beside: Beside): Promise<void> {
    const { clock } = this.#context;
    const options = { container, hostPorts: this.#journal.hostPorts, beside, clock, atMostMs: 60_000, signal: this.#stop.signal };
    const { healthy, message } = await runHook(container.lifecycle?.postStart, options);
    if (!healthy) await run.stop(this.#graceMs(), `postStart hook failed: ${message}`);
  }

  #attach(
    container: Immutable<Container>,
    state: Running,
    how: { readonly files: LogFiles; readonly beside: Beside; readonly mark: string; readonly ended?: Promise<void> },
  ): ContainerRun {
    const { clock, settings } = this.#context;
    const run = new ContainerRun({
      ...how,
      container,
      state,
      hostPorts: this.#journal.hostPorts,
      logBytesMax: settings.logBytesMax,
      clock,
      onHealth: () => this.#alarm.ring(),
      onEnd: (end) => this.#onEnd(container.name, end),
    });
    this.#runs.set(container.name, run);
    run.begin();
    return run;
  }

  async #onEnd(name: string, end: Terminated): Promise<void> {
    const record = this.#journal.container(name);
    const isLong = end.finishedAtMs - end.startedAtMs >= this.#context.settings.restart.resetMs;
    this.#runs.delete(name);
    await this.#journal.saveContainer(this.#pod, name, { ...record, state: end, failures: isLong ? 1 : record.failures + 1 });
    this.#alarm.ring();
  }

  #replaceChanged(name: string, image: string | undefined): void {
    const { state, image: before } = this.#journal.container(name);
    if (state.is !== 'running' || before === undefined || before === (image ?? '')) return;
    void this.#runs.get(name)?.stop(this.#graceMs(), `the image changed to ${image}`);
  }

  #fail(failure: Obstacle): void {
    this.#failure ??= failure;
    for (const run of this.#runs.values()) void run.stop(this.#graceMs(), failure.message);
  }

  async #announcePorts(): Promise<void> {
    const ports = JSON.stringify(this.#journal.hostPorts);
    if (this.#pod.metadata.annotations?.[hostPortsAnnotation] === ports) return;
    try {
      await this.#context.api.annotate(this.#pod, { [hostPortsAnnotation]: ports });
    } catch (error) {
      this.#context.log.warn('host ports not announced yet', { pod: this.#pod.metadata.name, error: String(error) });
      this.#refreshAtMs = Math.min(this.#refreshAtMs, this.#context.clock.nowMs() + obstacleRetryMs);
    }
  }

  async #refreshVolumes(): Promise<void> {
    const { clock, api, log } = this.#context;
    if (clock.nowMs() < this.#refreshAtMs) return;
    this.#refreshAtMs = clock.nowMs() + refreshMs;
    if (this.#runs.size === 0 || !this.#pod.spec?.volumes?.length) return;
    try {
      await makeVolumes({ pod: this.#pod, podDirectory: this.#directory, objects: await readReferred(this.#pod, api) });
    } catch (error) {
      log.warn('volumes not brought up to date', { pod: this.#pod.metadata.name, error: String(error) });
    }
  }

  #report(step: PodStep): void {
    const { clock, traffic } = this.#context;
    const containers = new Map(this.#journal.containers);
    for (const [name, { obstacle }] of this.#obstacles) containers.set(name, hindered(this.#journal.container(name), obstacle));
    const status = podStatus({
      pod: this.#pod,
      phase: step.phase,
      containers,
      delayed: step.delayed,
      health: new Map<string, ContainerHealth>([...this.#runs].map(([name, run]) => [name, run.health])),
      before: this.#reporter.last,
      ...(this.#failure ? { obstacle: this.#failure } : {}),
      startedAtMs: this.#journal.startedAtMs,
      nowMs: clock.nowMs(),
    });
    const isReady = status.conditions?.some((condition) => condition.type === 'Ready' && condition.status === 'True') === true;
    traffic.setReady(this.#pod.metadata.uid ?? '', isReady);
    this.#reporter.report(this.#pod, status);
  }

  /** Takes the pod out of traffic, ends its processes, and removes what is left of it when it is over for good. */
  async #finish(): Promise<void> {
    const { traffic, settings, clock, api } = this.#context;
    const uid = this.#pod.metadata.uid ?? '';
    const running = [...this.#runs.keys()];
    const endAtMs = clock.nowMs() + (this.#ending?.graceMs ?? 0);
    const leftMs = () => Math.max(0, Math.min(endAtMs - clock.nowMs(), this.#ending?.graceMs ?? 0));
    if (leftMs() > 0) {
      await traffic.drain(uid, Math.min(settings.drainMs, leftMs()), this.#ending?.isFinal === true);
      await Promise.all([...this.#runs].map(([name, run]) => this.#preStop(name, run, leftMs())));
    }
    await Promise.all([...this.#runs.values()].map((run) => run.stop(leftMs())));
    traffic.forget(uid);
    await this.#journal.settled();
    if (this.#stop.signal.aborted) return;
    if (!this.#ending?.isFinal) return this.#journal.reset(running);
    this.#journal.releasePorts();
    await api.remove(this.#pod, this.#stop.signal);
    if (!this.#stop.signal.aborted) await remove(this.#directory);
  }

  async #preStop(name: string, run: ContainerRun, atMostMs: number): Promise<void> {
    const container = this.#containers().find((found) => found.name === name);
    if (!container) return;
    const options = {
      container,
      hostPorts: this.#journal.hostPorts,
      beside: run.beside,
      clock: this.#context.clock,
      atMostMs,
      signal: this.#stop.signal,
    };
    await Promise.race([runHook(container.lifecycle?.preStop, options), run.over]);
  }

  #containers(): readonly Immutable<Container>[] {
    return [...(this.#pod.spec?.initContainers ?? []), ...(this.#pod.spec?.containers ?? [])];
  }

  #graceMs(): number {
    return (this.#pod.spec?.terminationGracePeriodSeconds ?? 30) * 1000;
  }

  #markOf(name: string, run: number): string {
    return `${markName}=${this.#pod.metadata.uid}/${name}/${run}`;
  }
}

/** A container that cannot be started waits, and says why. */
function hindered(record: ContainerRecord, obstacle: Obstacle): ContainerRecord {
  const { state, ...rest } = record;
  if (state.is === 'running') return record;
  return { ...freshContainer, ...rest, state: { is: 'waiting', ...obstacle }, ...(state.is === 'terminated' ? { last: state } : {}) };
}
