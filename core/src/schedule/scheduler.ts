import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Immutable, Node, Pod, RetryOn } from '@tappaas/sdk';
import { Binding } from './binding.js';
import { Cycle } from './cycle.js';
import type { Decision } from './decision.js';
import { Intake } from './intake.js';
import type { SchedulerOptions } from './options.js';
import { PlacementEngine, type Explanation } from './placement-engine.js';
import { PodClasses, type SchedulingClass } from './pod-class.js';
import { RoomMaker } from './room-maker.js';
import type { SchedulingTaps } from './taps.js';
import { makeBench, type Generation, type Workbench } from './workbench.js';

const turnMsMax = 5;
const probesPerTurnMax = 64;
const napMsMax = 60_000;
const columnRetryMs = 10_000;

export interface SchedulerCounts {
  readonly nodes: number;
  readonly pendingPods: number;
  readonly activePods: number;
  readonly bindsInFlight: number;
  /** Pods charged to some node. */
  readonly placedPods: number;
}

/** Places and binds pods; its input comes from watches. Pass all nodes and pods before `start`, because it can only count what it knows. */
export interface Scheduler {
  nodeChanged(node: Immutable<Node>): void;
  nodeDeleted(name: string): void;
  podAdded(pod: Immutable<Pod>): void;
  podChanged(pod: Immutable<Pod>): void;
  podDeleted(pod: Immutable<Pod>): void;
  /** Recomputes a plugin's column for all nodes. */
  columnChanged(plugin: string, name: string): void;
  /**
   * Switches to another hook generation. @throws TAP_SCHEDULE_COLUMN_UNKNOWN, TAP_SCHEDULE_WEIGHT_INVALID; the old one then stays in use
   */
  setTaps(taps: SchedulingTaps): void;
  start(): void;
  /** Stops placing pods, and waits for bindings in flight. */
  stop(): Promise<void>;
  /** Resolves when there is nothing to do before a further event or timer. */
  idle(): Promise<void>;
  /** Evaluates every node for such a pod now, without side effects. @throws TAP_SCHEDULE_QUANTITY_INVALID, TAP_SCHEDULE_FILTER_FAILED */
  explain(pod: Immutable<Pod>): Explanation;
  decision(uid: string): Decision | undefined;
  decisions(decisionsMax: number): readonly Decision[];
  counts(): SchedulerCounts;
}

/** Makes a scheduler, which is inactive until `start`. @throws TAP_SCHEDULE_COLUMN_UNKNOWN, TAP_SCHEDULE_WEIGHT_INVALID */
export function createScheduler(options: SchedulerOptions): Scheduler {
  return new RunningScheduler(options);
}

class RunningScheduler implements Scheduler {
  readonly #bench: Workbench;
  readonly #classes: PodClasses;
  readonly #stopping = new AbortController();
  readonly #binding: Binding;
  readonly #rooms: RoomMaker;
  readonly #cycle: Cycle;
  readonly #intake: Intake;
  readonly #listening: (() => void)[] = [];
  #generation: Generation;
  #loop: Promise<void> | undefined;
  #cycling = false;
  #wakeUp: (() => void) | undefined;
  #woken = false;
  #columnsDueMs = 0;
  #columnsOwe = false;
  #idlers: (() => void)[] = [];

  constructor(options: SchedulerOptions) {
    this.#bench = makeBench(options, (event) => {
      this.#bench.pending.happened(event);
      if (event === 'pod-deleted') this.#rooms.podDeleted();
      this.#wake();
    });
    const { limits } = this.#bench;
    this.#classes = new PodClasses({
      classesMax: limits.classesMax,
      supports: new Set(options.supports),
      tenantOf: (namespace) => options.tenantOf?.(namespace),
    });
    this.#binding = new Binding(this.#bench, () => this.#wake(), this.#stopping.signal);
    this.#rooms = new RoomMaker(this.#bench);
    this.#cycle = new Cycle(this.#bench, this.#binding, this.#rooms);
    this.#generation = this.#generationOf(options.taps);
    this.#intake = new Intake(
      this.#bench,
      this.#classes,
      () => this.#generation,
      () => this.#wake(),
    );
  }

  nodeChanged(node: Immutable<Node>): void {
    this.#bench.cluster.nodeChanged(node);
  }
  nodeDeleted(name: string): void {
    this.#bench.cluster.nodeDeleted(name);
  }
  podAdded(pod: Immutable<Pod>): void {
    this.#intake.podSeen(pod);
  }
  podChanged(pod: Immutable<Pod>): void {
    this.#intake.podSeen(pod);
  }
  podDeleted(pod: Immutable<Pod>): void {
    this.#intake.podDeleted(pod);
  }
  columnChanged(plugin: string, name: string): void {
    this.#bench.cluster.columnChanged(plugin, name);
  }

  setTaps(taps: SchedulingTaps): void {
    this.#generation = this.#generationOf(taps);
    this.#bench.pending.probeAll();
    this.#intake.askAgain();
    this.#wake();
  }

  start(): void {
    this.#loop ??= this.#run();
  }

  async stop(): Promise<void> {
    for (const stopListening of this.#listening.splice(0)) stopListening();
    this.#stopping.abort();
    this.#wake();
    await this.#loop;
    while (this.#binding.inFlight > 0) await this.#woke();
    for (const resolve of this.#idlers.splice(0)) resolve();
  }

  idle(): Promise<void> {
    if (this.#stopping.signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      this.#idlers.push(resolve);
      this.#wake();
    });
  }

  explain(pod: Immutable<Pod>): Explanation {
    return this.#generation.engine.explain(this.#classes.of(pod));
  }
  decision(uid: string): Decision | undefined {
    return this.#bench.decisions.get(uid);
  }
  decisions(decisionsMax: number): readonly Decision[] {
    return this.#bench.decisions.latest(decisionsMax);
  }
  counts(): SchedulerCounts {
    const { pending, cluster } = this.#bench;
    return {
      nodes: cluster.table.nodes,
      pendingPods: pending.size,
      activePods: pending.activePods,
      bindsInFlight: this.#binding.inFlight,
      placedPods: cluster.ledger.size,
    };
  }

  #generationOf(taps: SchedulingTaps): Generation {
    const { cluster, limits, report, options } = this.#bench;
    const nowMs = () => options.clock.nowMs();
    const engine = new PlacementEngine(cluster.table, taps, { viewBytesMax: limits.viewBytesMax, nowMs, report });
    for (const stopListening of this.#listening.splice(0)) stopListening();
    cluster.columns = engine.columns;
    cluster.ledger.resolveAgain();
    for (const { plugin, name, onChanged } of taps.columns) {
      const stopListening = onChanged?.(() => this.columnChanged(plugin, name));
      if (stopListening) this.#listening.push(stopListening);
    }
    return { taps, engine };
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      this.#woken = false;
      this.#wakeDue();
      this.#retryColumns();
      this.#probe();
      await this.#placeForATurn();
      const { pending } = this.#bench;
      const more = pending.hasProbes || (pending.activePods > 0 && !this.#binding.full);
      if (more) await nextTurn();
      else await this.#rest();
    }
  }

  async #placeForATurn(): Promise<void> {
    const { pending, options } = this.#bench;
    const untilMs = options.clock.nowMs() + turnMsMax;
    this.#cycling = true;
    while (!this.#binding.full && !this.#stopping.signal.aborted) {
      const next = pending.take();
      if (next === undefined) break;
      try {
        const through = this.#cycle.run(next, this.#generation);
        if (through) await through;
      } catch (cause) {
        this.#cycle.failed(next, cause);
      }
      if (options.clock.nowMs() >= untilMs) break;
    }
    this.#cycling = false;
  }

  #wakeDue(): void {
    const { pending, options } = this.#bench;
    for (const due of pending.due(options.clock.nowMs())) {
      if (due.state === 'gated') this.#intake.enqueue(due);
      else pending.activate(due);
    }
  }

  /** Periodically recomputes columns whose plugin failed or was not running. */
  #retryColumns(): void {
    const { cluster, options } = this.#bench;
    const nowMs = options.clock.nowMs();
    if (nowMs < this.#columnsDueMs) return;
    this.#columnsDueMs = nowMs + columnRetryMs;
    this.#columnsOwe = cluster.retryColumns();
  }

  /** Probes some of the classes that wait for recorded events; their pods are tried only if a node is feasible. */
  #probe(): void {
    const { pending, options } = this.#bench;
    const { engine } = this.#generation;
    for (let probes = 0; probes < probesPerTurnMax; probes++) {
      const cls = pending.takeProbe();
      if (cls === undefined) return;
      const until = this.#unschedulableUntil(engine, cls);
      if (until === undefined) pending.unpark(cls, options.clock.nowMs());
      else pending.waitFor(cls, until);
    }
  }

  #unschedulableUntil(engine: PlacementEngine, cls: SchedulingClass): readonly RetryOn[] | undefined {
    if (cls.impossible !== undefined) return [];
    try {
      return engine.unschedulableUntil(cls);
    } catch {
      // A filter failed: let the cycle run into it, which reports the error and lets the pods rest.
      return undefined;
    }
  }

  /** Waits for an event, a settled binding or the next due pod. */
  async #rest(): Promise<void> {
    const { pending, options } = this.#bench;
    if (this.#isIdle()) for (const resolve of this.#idlers.splice(0)) resolve();
    const napMs = Math.min(this.#columnsOwe ? columnRetryMs : napMsMax, pending.nextDueMs - options.clock.nowMs());
    if (this.#woken || napMs <= 0) return;
    const enough = new AbortController();
    const nap = options.clock.sleep(napMs, enough.signal).catch(() => undefined);
    await Promise.race([nap, this.#woke()]);
    enough.abort();
  }

  #isIdle(): boolean {
    const { pending } = this.#bench;
    return pending.activePods === 0 && !pending.hasProbes && !this.#cycling && this.#binding.inFlight === 0 && this.#intake.asking === 0;
  }

  #woke(): Promise<void> {
    return new Promise((resolve) => {
      this.#wakeUp = resolve;
    });
  }

  #wake(): void {
    this.#woken = true;
    this.#wakeUp?.();
    this.#wakeUp = undefined;
  }
}
