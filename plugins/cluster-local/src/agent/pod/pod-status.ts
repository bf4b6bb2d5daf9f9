import type { ContainerState as KubernetesState, ContainerStatus, Immutable, Pod, PodCondition, PodStatus } from '@tappaas/sdk';
import { isSidecar } from './pod-plan.js';
import type { ContainerRecord, Terminated } from './container-state.js';

/** The input of a pod's status. */
export interface StatusView {
  readonly pod: Immutable<Pod>;
  readonly phase: 'Pending' | 'Running' | 'Succeeded' | 'Failed';
  readonly containers: ReadonlyMap<string, ContainerRecord>;
  readonly delayed: ReadonlyMap<string, number>;
  readonly health: ReadonlyMap<string, ContainerHealth>;
  /** The last reported status, which the pod's object may not contain yet. */
  readonly before?: PodStatus | undefined;
  /** Why the whole pod failed. */
  readonly obstacle?: { readonly reason: string; readonly message: string };
  readonly startedAtMs: number;
  readonly nowMs: number;
}

/** The results of a running container's probes. */
export interface ContainerHealth {
  readonly started: boolean;
  readonly ready: boolean;
  /** Why it is not ready. */
  readonly reason?: string;
  readonly message?: string;
}

const address = '127.0.0.1';
const isoOf = (ms: number): string => `${new Date(ms).toISOString().slice(0, 19)}Z`;

/** The pod's status in the form of a kubelet; the times of conditions change only with their status. */
export function podStatus(view: StatusView): PodStatus {
  const spec = view.pod.spec ?? { containers: [] };
  const statusOf = ({ name, image }: { readonly name: string; readonly image?: string }) => containerStatus(name, image ?? '', view);
  const initContainerStatuses = (spec.initContainers ?? []).map(statusOf);
  const containerStatuses = spec.containers.map(statusOf);
  return {
    phase: view.phase,
    conditions: conditionsOf(view, initContainerStatuses, containerStatuses),
    hostIP: address,
    hostIPs: [{ ip: address }],
    podIP: address,
    podIPs: [{ ip: address }],
    startTime: isoOf(view.startedAtMs),
    observedGeneration: view.pod.metadata.generation ?? 0,
    ...(initContainerStatuses.length > 0 ? { initContainerStatuses } : {}),
    containerStatuses,
    ...(view.pod.status?.qosClass === undefined ? {} : { qosClass: view.pod.status.qosClass }),
    ...view.obstacle,
  };
}

function containerStatus(name: string, image: string, view: StatusView): ContainerStatus {
  const record = view.containers.get(name);
  const health = view.health.get(name);
  const isRunning = record?.state.is === 'running';
  return {
    name,
    image,
    imageID: record?.imageId ?? '',
    ready: isRunning && health?.ready === true,
    started: isRunning && health?.started === true,
    restartCount: Math.max(0, (record?.starts ?? 0) - 1),
    state: stateOf(record, view.delayed.get(name), view),
    lastState: lastOf(record, view.delayed.has(name)),
    ...(isRunning && record.state.is === 'running' ? { containerID: `process://${record.state.identity.pid}` } : {}),
  };
}

function stateOf(record: ContainerRecord | undefined, startsAtMs: number | undefined, view: StatusView): KubernetesState {
  if (startsAtMs !== undefined) {
    const message = `ended ${record?.failures ?? 0} times in a row; starts again at ${isoOf(startsAtMs)}`;
    return { waiting: { reason: 'CrashLoopBackOff', message } };
  }
  const state = record?.state;
  if (state === undefined || state.is === 'waiting') {
    const { reason = 'ContainerCreating', message } = view.obstacle ?? state ?? {};
    return { waiting: { reason, ...(message === undefined ? {} : { message }) } };
  }
  if (state.is === 'running') return { running: { startedAt: isoOf(state.startedAtMs) } };
  return { terminated: terminatedOf(state) };
}

function lastOf(record: ContainerRecord | undefined, isDelayed: boolean): KubernetesState {
  const end = isDelayed && record?.state.is === 'terminated' ? record.state : record?.last;
  return end === undefined ? {} : { terminated: terminatedOf(end) };
}

const terminatedOf = ({ exitCode, reason, message, startedAtMs, finishedAtMs }: Terminated) => ({
  exitCode,
  reason,
  ...(exitCode > 128 ? { signal: exitCode - 128 } : {}),
  ...(message === undefined ? {} : { message }),
  startedAt: isoOf(startedAtMs),
  finishedAt: isoOf(finishedAtMs),
});

function conditionsOf(view: StatusView, init: readonly ContainerStatus[], containers: readonly ContainerStatus[]): PodCondition[] {
  const isOver = view.phase === 'Succeeded' || view.phase === 'Failed';
  const sidecars = new Set((view.pod.spec?.initContainers ?? []).filter(isSidecar).map(({ name }) => name));
  const initialized = init.every(({ name, state, started }) => (sidecars.has(name) ? started === true : state?.terminated?.exitCode === 0));
  const unready = [...containers, ...init.filter(({ name }) => sidecars.has(name))].filter(({ ready }) => !ready);
  const ready = !isOver && initialized && unready.length === 0;
  const why = ready
    ? {}
    : whyUnready(
        view,
        unready.map(({ name }) => name),
        isOver,
      );
  const wished: PodCondition[] = [
    { type: 'PodScheduled', status: 'True' },
    { type: 'Initialized', status: initialized ? 'True' : 'False', ...(initialized ? {} : { reason: 'ContainersNotInitialized' }) },
    { type: 'ContainersReady', status: ready ? 'True' : 'False', ...why },
    { type: 'Ready', status: ready ? 'True' : 'False', ...why },
  ];
  const present = view.pod.status?.conditions ?? [];
  const others = present.filter(({ type }) => !wished.some((condition) => condition.type === type));
  return [...wished.map((condition) => stamped(condition, view.before?.conditions ?? present, view.nowMs)), ...others];
}

function whyUnready(view: StatusView, names: readonly string[], isOver: boolean): { reason: string; message?: string } {
  if (isOver) return { reason: view.phase === 'Succeeded' ? 'PodCompleted' : 'PodFailed' };
  const health = names.map((name) => view.health.get(name)).find((found) => found?.reason !== undefined);
  const message = health?.message ?? `containers that are not ready: ${names.join(', ')}`;
  return { reason: health?.reason ?? 'ContainersNotReady', message };
}

function stamped(next: PodCondition, present: readonly Immutable<PodCondition>[], nowMs: number): PodCondition {
  const before = present.find(({ type }) => type === next.type);
  const lastTransitionTime = before?.status === next.status ? before.lastTransitionTime : undefined;
  return { ...next, lastTransitionTime: lastTransitionTime ?? isoOf(nowMs) };
}
