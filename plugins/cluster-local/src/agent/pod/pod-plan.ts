import type { Container, Immutable, Pod, PodSpec } from '@tappaas/sdk';
import type { RestartDelays } from '../settings.js';
import type { ContainerRecord } from './container-state.js';

/** The next actions for a pod. */
export interface PodStep {
  /** Names of containers to start now. */
  readonly start: readonly string[];
  /** Names of containers in back-off, with the time at which each may start. */
  readonly delayed: ReadonlyMap<string, number>;
  /** The phase of the pod. After `Succeeded` or `Failed`, no container is started any more. */
  readonly phase: 'Pending' | 'Running' | 'Succeeded' | 'Failed';
  readonly againAtMs?: number;
  /** The pod has exceeded `activeDeadlineSeconds`: all its containers must stop. */
  readonly isOverdue: boolean;
}

/** The input of the plan. `startedAtMs` is when the agent took on the pod. */
export interface PodView {
  readonly pod: Immutable<Pod>;
  readonly containers: ReadonlyMap<string, ContainerRecord>;
  /** Containers whose startup probe has succeeded, or that have none. */
  readonly started: ReadonlySet<string>;
  readonly startedAtMs: number;
  readonly nowMs: number;
  readonly delays: RestartDelays;
}

/** Whether an init container keeps running beside the ordinary containers. */
export const isSidecar = (container: Immutable<Container>): boolean => container.restartPolicy === 'Always';

/** Decides from the containers' states which to start, which to delay, and the phase of the pod. */
export function planPod(view: PodView): PodStep {
  const spec = view.pod.spec ?? { containers: [] };
  const deadlineMs = spec.activeDeadlineSeconds === undefined ? Infinity : view.startedAtMs + spec.activeDeadlineSeconds * 1000;
  if (view.nowMs >= deadlineMs) return { start: [], delayed: new Map(), phase: 'Failed', isOverdue: true };
  const init = planInit(spec, view);
  const due = init.isDone ? [...init.due, ...spec.containers.filter((container) => isDue(container, spec, view))] : init.due;
  const delayed = new Map<string, number>();
  const start: string[] = [];
  for (const container of due) {
    const atMs = startableAtMs(view.containers.get(container.name), view.delays);
    if (atMs <= view.nowMs) start.push(container.name);
    else delayed.set(container.name, atMs);
  }
  const phase = init.hasFailed ? 'Failed' : phaseOf(spec, view, init.isDone);
  const isOver = phase === 'Succeeded' || phase === 'Failed';
  const againAtMs = Math.min(deadlineMs, ...delayed.values());
  return {
    start: isOver ? [] : start,
    delayed,
    phase,
    isOverdue: false,
    ...(Number.isFinite(againAtMs) && !isOver ? { againAtMs } : {}),
  };
}

interface InitStep {
  readonly due: readonly Immutable<Container>[];
  readonly isDone: boolean;
  readonly hasFailed: boolean;
}

/** Init containers run one after the other; a sidecar only has to have started before the next one. */
function planInit(spec: Immutable<PodSpec>, { containers, started }: PodView): InitStep {
  const due: Immutable<Container>[] = [];
  for (const container of spec.initContainers ?? []) {
    const state = containers.get(container.name)?.state;
    if (isSidecar(container)) {
      if (state?.is !== 'running') due.push(container);
      if (state?.is !== 'running' || !started.has(container.name)) return { due, isDone: false, hasFailed: false };
      continue;
    }
    if (state?.is === 'terminated' && state.exitCode === 0) continue;
    if (state?.is === 'running') return { due, isDone: false, hasFailed: false };
    if (state?.is === 'terminated' && spec.restartPolicy === 'Never') return { due, isDone: false, hasFailed: true };
    return { due: [...due, container], isDone: false, hasFailed: false };
  }
  return { due, isDone: true, hasFailed: false };
}

function isDue(container: Immutable<Container>, spec: Immutable<PodSpec>, { containers }: PodView): boolean {
  const state = containers.get(container.name)?.state;
  if (state === undefined || state.is === 'waiting') return true;
  return state.is === 'terminated' && isRestarted(spec, state.exitCode);
}

const isRestarted = ({ restartPolicy }: Immutable<PodSpec>, exitCode: number): boolean =>
  (restartPolicy ?? 'Always') === 'Always' || (restartPolicy === 'OnFailure' && exitCode !== 0);

/**
 * The earliest time of the next start. The first restart is immediate, the second waits for the first delay, which then doubles up to a
 * limit.
 */
export function startableAtMs(record: ContainerRecord | undefined, delays: RestartDelays): number {
  const end = record?.state.is === 'terminated' ? record.state : record?.last;
  if (record === undefined || end === undefined || record.failures < 2) return 0;
  return end.finishedAtMs + Math.min(delays.firstMs * 2 ** Math.min(record.failures - 2, 30), delays.mostMs);
}

function phaseOf(spec: Immutable<PodSpec>, { containers }: PodView, isInitDone: boolean): PodStep['phase'] {
  const records = spec.containers.map(({ name }) => containers.get(name));
  if (!isInitDone || records.some((record) => record === undefined || (record.starts === 0 && record.state.is === 'waiting')))
    return 'Pending';
  const ends = records.map((record) => (record?.state.is === 'terminated' ? record.state : undefined));
  const isOver = ends.every((end) => end !== undefined && !isRestarted(spec, end.exitCode));
  if (!isOver) return 'Running';
  return ends.every((end) => end?.exitCode === 0) ? 'Succeeded' : 'Failed';
}
