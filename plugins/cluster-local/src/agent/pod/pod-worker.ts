import { join } from 'node:path';
import type { Immutable, Pod } from '@tappaas/sdk';
import { hostPortsAnnotation } from '../../annotations.js';
import { Alarm } from '../alarm.js';
import { remove } from '../removal.js';
import type { LogFiles } from '../log/log-files.js';
import type { LogPump } from '../log/log-pump.js';
import { makeVolumes, type Obstacle } from './container-start.js';
import { freshContainer, type ContainerRecord } from './container-state.js';
import { PodContainers } from './pod-containers.js';
import type { PodContext } from './pod-context.js';
import { PodJournal } from './pod-journal.js';
import { planPod, type PodStep } from './pod-plan.js';
import { PodReporter } from './pod-reporter.js';
import type { Beside } from './probe-check.js';
import { podStatus } from './pod-status.js';
import { readReferred } from './referred-objects.js';

/** How a pod is to end. */
export interface Ending {
  readonly graceMs: number;
  /**
   * Whether the pod is over for good, so that its object and directory are removed. Otherwise the next agent starts its containers again.
   */
  readonly isFinal: boolean;
}

/** Interval at which mounted config maps and secrets are refreshed, milliseconds. */
const refreshMs = 60_000;
/** Delay before a failed write to the platform is retried, milliseconds. */
const againMs = 2000;

/**
 * Runs one pod, from its binding to a node of this agent until its directory is removed.
 *
 * One loop does everything in turn: check the containers, plan, start what is due, report, wait for the next event. A process is recorded
 * on disk before it runs.
 */
export class PodWorker {
  readonly #context: PodContext;
  readonly #directory: string;
  readonly #journal: PodJournal;
  readonly #reporter: PodReporter;
  readonly #containers: PodContainers;
  readonly #alarm: Alarm;
  readonly #stop = new AbortController();
  #pod: Immutable<Pod>;
  #failure: Obstacle | undefined;
  #ending: Ending | undefined;
  #refreshAtMs: number;
  /** Resolves when the worker is done with the pod; rejects when it failed. */
  readonly over: Promise<void>;

  constructor(pod: Immutable<Pod>, context: PodContext) {
    const { api, clock, log } = context;
    this.#context = context;
    this.#pod = pod;
    this.#directory = join(context.podsDirectory, pod.metadata.uid ?? '');
    this.#journal = new PodJournal(pod, this.#directory, context);
    this.#reporter = new PodReporter(api, clock, log, this.#stop.signal);
    this.#alarm = new Alarm(clock);
    this.#containers = new PodContainers({
      context,
      pod: () => this.#pod,
      directory: this.#directory,
      journal: this.#journal,
      signal: this.#stop.signal,
      isEnding: () => this.#ending !== undefined || this.#stop.signal.aborted,
      onChange: () => this.#alarm.ring(),
      recordEvent: (event) => context.events.record(this.#pod, event),
    });
    this.#refreshAtMs = clock.nowMs() + refreshMs;
    this.over = this.#run().catch((error: unknown) => this.#letGo(error));
  }

  get pod(): Immutable<Pod> {
    return this.#pod;
  }

  /** How the pod is to end; undefined until its end is requested. */
  get ending(): Ending | undefined {
    return this.#ending;
  }

  /** Takes the pod's changed object. */
  update(pod: Immutable<Pod>): void {
    this.#pod = pod;
    this.#alarm.ring();
  }

  /** Ends the pod's processes. A later call can only shorten the grace period, and then takes effect at once. */
  end(ending: Ending): void {
    const before = this.#ending;
    const graceMs = Math.min(ending.graceMs, before?.graceMs ?? Infinity);
    this.#ending = { graceMs, isFinal: ending.isFinal || before?.isFinal === true };
    if (before && graceMs < before.graceMs) void this.#containers.stop(graceMs);
    this.#alarm.ring();
  }

  /** Stops without touching the processes, which the next agent adopts. */
  async abandon(): Promise<void> {
    this.#stop.abort();
    this.#containers.abandon();
    await this.over;
    await this.#journal.settled();
  }

  /** Number of the present or last run of a container; the run before it has the number below. */
  runOf(container: string): number {
    return this.#journal.container(container).starts;
  }

  logOf(container: string, run: number): LogFiles {
    return this.#containers.logOf(container, run);
  }

  pumpOf(container: string): LogPump | undefined {
    return this.#containers.runs.get(container)?.pump;
  }

  /** Where commands beside a container run; undefined unless the container is running. */
  besideOf(container: string): Beside | undefined {
    return this.#containers.runs.get(container)?.beside;
  }

  /** Process groups of the running containers, by container. */
  groups(): ReadonlyMap<string, number> {
    return new Map([...this.#containers.runs].map(([name, run]) => [name, run.groupId]));
  }

  /** Abandons the processes without ending them: a new worker may succeed with the same ones. */
  async #letGo(reason: unknown): Promise<never> {
    this.#stop.abort();
    this.#containers.abandon();
    await Promise.allSettled([this.#journal.settled()]);
    throw reason;
  }

  async #run(): Promise<void> {
    await this.#journal.open();
    await this.#containers.adopt();
    while (!this.#stop.signal.aborted) {
      if (this.#ending) return this.#finish();
      const againAtMs = await this.#step();
      await this.#alarm.wait(againAtMs, this.#stop.signal);
    }
  }

  /** Runs one pass of the loop; returns when the next one is due. */
  async #step(): Promise<number> {
    await this.#announcePorts();
    await this.#refreshVolumes();
    const step = this.#plan();
    for (const name of step.start) await this.#containers.start(name);
    for (const name of step.delayed.keys()) this.#recordBackOff(name);
    this.#containers.replaceChanged(this.#graceMs());
    const next = this.#plan();
    if (next.phase === 'Succeeded' || next.phase === 'Failed') void this.#containers.stop(this.#graceMs());
    this.#report(next);
    const soonestMs = this.#context.clock.nowMs() + 1;
    const retries = [...this.#containers.obstructions.values()].map(({ retryAtMs }) => Math.max(retryAtMs, soonestMs));
    return Math.min(next.againAtMs ?? Infinity, this.#refreshAtMs, ...retries);
  }

  #plan(): PodStep {
    const { clock, settings } = this.#context;
    const started = new Set([...this.#containers.health].filter(([, health]) => health.started).map(([name]) => name));
    const { startedAtMs, containers } = this.#journal;
    const step = planPod({ pod: this.#pod, containers, started, startedAtMs, nowMs: clock.nowMs(), delays: settings.restart });
    if (step.isOverdue) this.#fail(`the pod ran longer than ${this.#pod.spec?.activeDeadlineSeconds} s`);
    return this.#failure ? { ...step, start: [], phase: 'Failed', delayed: new Map() } : step;
  }

  #fail(message: string): void {
    if (this.#failure) return;
    this.#failure = { reason: 'DeadlineExceeded', message };
    void this.#containers.stop(this.#graceMs(), message);
  }

  #recordBackOff(name: string): void {
    const message = `container ${name} ended too often and waits before it starts again`;
    this.#context.events.record(this.#pod, { type: 'Warning', reason: 'BackOff', message });
  }

  async #announcePorts(): Promise<void> {
    const { api, log, clock } = this.#context;
    const ports = JSON.stringify(this.#journal.hostPorts);
    if (this.#pod.metadata.annotations?.[hostPortsAnnotation] === ports) return;
    try {
      await api.annotate(this.#pod, { [hostPortsAnnotation]: ports });
    } catch (error) {
      log.warn('host ports not announced yet', { pod: this.#pod.metadata.name, error: String(error) });
      this.#refreshAtMs = Math.min(this.#refreshAtMs, clock.nowMs() + againMs);
    }
  }

  async #refreshVolumes(): Promise<void> {
    const { clock, api, log } = this.#context;
    if (clock.nowMs() < this.#refreshAtMs) return;
    this.#refreshAtMs = clock.nowMs() + refreshMs;
    if (this.#containers.runs.size === 0 || !this.#pod.spec?.volumes?.length) return;
    try {
      await makeVolumes({ pod: this.#pod, podDirectory: this.#directory, objects: await readReferred(this.#pod, api) });
    } catch (error) {
      log.warn('volumes not brought up to date', { pod: this.#pod.metadata.name, error: String(error) });
    }
  }

  #report(step: PodStep): void {
    const { clock, traffic } = this.#context;
    const containers = new Map(this.#journal.containers);
    for (const [name, { obstacle }] of this.#containers.obstructions)
      containers.set(name, withObstacle(this.#journal.container(name), obstacle));
    const status = podStatus({
      pod: this.#pod,
      phase: step.phase,
      containers,
      delayed: step.delayed,
      health: this.#containers.health,
      before: this.#reporter.last,
      ...(this.#failure ? { obstacle: this.#failure } : {}),
      startedAtMs: this.#journal.startedAtMs,
      nowMs: clock.nowMs(),
    });
    const isReady = status.conditions?.some((condition) => condition.type === 'Ready' && condition.status === 'True') === true;
    traffic.setReady(this.#pod.metadata.uid ?? '', isReady);
    this.#reporter.report(this.#pod, status);
  }

  /** Takes the pod out of traffic, ends its processes, and, if it is over for good, removes its object and directory. */
  async #finish(): Promise<void> {
    const { traffic, settings, clock, api, events } = this.#context;
    const uid = this.#pod.metadata.uid ?? '';
    const running = [...this.#containers.runs.keys()];
    for (const name of running) events.record(this.#pod, { type: 'Normal', reason: 'Killing', message: `stopping container ${name}` });
    const endAtMs = clock.nowMs() + (this.#ending?.graceMs ?? 0);
    const leftMs = () => Math.max(0, Math.min(endAtMs - clock.nowMs(), this.#ending?.graceMs ?? 0));
    if (leftMs() > 0) {
      await traffic.drain(uid, Math.min(settings.drainMs, leftMs()), this.#ending?.isFinal === true);
      await this.#containers.preStop(leftMs());
    }
    await this.#containers.stop(leftMs());
    traffic.forget(uid);
    await this.#journal.settled();
    if (this.#stop.signal.aborted) return;
    if (!this.#ending?.isFinal) return this.#journal.reset(running);
    this.#journal.releasePorts();
    await api.remove(this.#pod, this.#stop.signal);
    if (!this.#stop.signal.aborted) await remove(this.#directory);
  }

  #graceMs(): number {
    return (this.#pod.spec?.terminationGracePeriodSeconds ?? 30) * 1000;
  }
}

/** Marks a container that cannot be started as waiting, with the reason. */
function withObstacle(record: ContainerRecord, obstacle: Obstacle): ContainerRecord {
  const { state, ...rest } = record;
  if (state.is === 'running') return record;
  return { ...freshContainer, ...rest, state: { is: 'waiting', ...obstacle }, ...(state.is === 'terminated' ? { last: state } : {}) };
}
