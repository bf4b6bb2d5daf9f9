import type { Clock, Node, Pod, PodSpec, Taint } from '@tappaas/sdk';
import type { Decision } from '../../dist/schedule/decision.js';
import type { SchedulerOptions, SchedulingEvent } from '../../dist/schedule/options.js';
import type { SchedulingProblem } from '../../dist/schedule/problems.js';
import { createScheduler, type Scheduler } from '../../dist/schedule/scheduler.js';
import { noTaps, type BindOutcome, type FilterTap, type ScoreTap, type SchedulingTaps } from '../../dist/schedule/taps.js';

/** A clock that stands still until it is told otherwise. */
export class ManualClock implements Clock {
  #nowMs = 1_000_000;
  #sleepers: { untilMs: number; wake: () => void }[] = [];

  nowMs(): number {
    return this.#nowMs;
  }

  sleep(ms: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const sleeper = { untilMs: this.#nowMs + ms, wake: resolve };
      this.#sleepers.push(sleeper);
      signal.addEventListener('abort', () => {
        this.#sleepers = this.#sleepers.filter((other) => other !== sleeper);
        reject(signal.reason as Error);
      });
    });
  }

  advance(ms: number): void {
    this.#nowMs += ms;
    const due = this.#sleepers.filter(({ untilMs }) => untilMs <= this.#nowMs);
    this.#sleepers = this.#sleepers.filter(({ untilMs }) => untilMs > this.#nowMs);
    for (const { wake } of due) wake();
  }
}

export interface NodeParts {
  readonly cpu?: string;
  readonly memory?: string;
  readonly pods?: number;
  readonly more?: Readonly<Record<string, string>>;
  readonly labels?: Readonly<Record<string, string>>;
  readonly taints?: readonly Taint[];
  readonly unschedulable?: boolean;
}

export function makeNode(name: string, parts: NodeParts = {}): Node {
  const { cpu = '4', memory = '8Gi', pods = 110, more = {}, labels = {}, taints = [], unschedulable = false } = parts;
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name, labels: { 'kubernetes.io/hostname': name, ...labels } },
    spec: { taints: [...taints], unschedulable },
    status: { allocatable: { cpu, memory, pods: String(pods), ...more } },
  };
}

export interface PodParts {
  readonly cpu?: string;
  readonly memory?: string;
  readonly more?: Readonly<Record<string, string>>;
  readonly priority?: number;
  readonly labels?: Readonly<Record<string, string>>;
  readonly namespace?: string;
  readonly node?: string;
  readonly spec?: Partial<PodSpec>;
}

export function makePod(name: string, parts: PodParts = {}): Pod {
  const { cpu, memory, more = {}, priority, labels = {}, namespace = 'default', node, spec } = parts;
  const requests = { ...(cpu !== undefined && { cpu }), ...(memory !== undefined && { memory }), ...more };
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace, uid: `uid-${namespace}-${name}`, labels: { ...labels } },
    spec: {
      schedulerName: 'tappaas',
      containers: [{ name: 'main', image: 'app', resources: { requests } }],
      ...(priority !== undefined && { priority }),
      ...(node !== undefined && { nodeName: node }),
      ...spec,
    },
  };
}

/** A scheduler over a cluster that does what it is told: bindings succeed and come back as changes of the pod. */
export class World {
  readonly clock = new ManualClock();
  readonly bound = new Map<string, string>();
  readonly decisions: Decision[] = [];
  readonly events: SchedulingEvent[] = [];
  readonly problems: SchedulingProblem[] = [];
  readonly conditions: string[] = [];
  readonly scheduler: Scheduler;
  readonly #pods = new Map<string, Pod>();
  bind: (pod: Pod, node: string) => Promise<BindOutcome>;

  constructor(taps: Partial<SchedulingTaps> = {}, options: Partial<SchedulerOptions> = {}) {
    this.bind = async (pod, node) => this.accept(pod, node);
    this.scheduler = createScheduler({
      clock: this.clock,
      random: () => 0.5,
      taps: { ...noTaps, ...taps },
      bind: (pod, node) => this.bind(pod as Pod, node),
      emitEvent: (event) => this.events.push(event),
      setCondition: (_, { message }) => this.conditions.push(message),
      onDecision: (decision) => this.decisions.push(decision),
      report: (problem) => this.problems.push(problem),
      ...options,
    });
    this.scheduler.start();
  }

  /** The cluster binds the pod and the watch says so. */
  accept(pod: Pod, node: string): BindOutcome {
    const { name = '', uid = '' } = pod.metadata;
    this.bound.set(name, node);
    const placed = { ...pod, spec: { containers: [], ...pod.spec, nodeName: node } };
    this.#pods.set(uid, placed);
    this.scheduler.podChanged(placed);
    return 'bound';
  }

  nodes(...nodes: readonly Node[]): void {
    for (const node of nodes) this.scheduler.nodeChanged(node);
  }

  pods(...pods: readonly Pod[]): void {
    for (const pod of pods) {
      this.#pods.set(pod.metadata.uid ?? '', pod);
      this.scheduler.podAdded(pod);
    }
  }

  delete(name: string, namespace = 'default'): void {
    const pod = this.#pods.get(`uid-${namespace}-${name}`);
    if (pod) this.scheduler.podDeleted(pod);
  }

  /** What was decided about a pod last. */
  decision(name: string, namespace = 'default'): Decision | undefined {
    return this.scheduler.decision(`uid-${namespace}-${name}`);
  }

  idle(): Promise<void> {
    return this.scheduler.idle();
  }

  async after(ms: number): Promise<void> {
    this.clock.advance(ms);
    await this.idle();
  }
}

export function filterTap(tap: Partial<FilterTap> & Pick<FilterTap, 'run'>): FilterTap {
  return { plugin: 'test-filter', reads: {}, reasons: [{ message: 'refused by the test', retryOn: [] }], ...tap };
}

export function scoreTap(tap: Partial<ScoreTap> & Pick<ScoreTap, 'run'>): ScoreTap {
  return { plugin: 'test-score', reads: {}, scale: 'points', weight: 1, ...tap };
}
