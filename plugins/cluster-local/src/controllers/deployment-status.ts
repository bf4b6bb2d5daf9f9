import type { Deployment, DeploymentCondition, DeploymentStatus, Immutable, ReplicaSet } from '@tappaas/sdk';
import { rolloutBounds } from './rollout-plan.js';

type ASet = Immutable<ReplicaSet>;

/**
 * Computes the status with the conditions Available and Progressing. `deadlineAtMs` is when a rollout without progress will have failed.
 */
export function deploymentStatus(
  deployment: Immutable<Deployment>,
  current: ASet | undefined,
  old: readonly ASet[],
  nowMs: number,
): { readonly status: DeploymentStatus; readonly deadlineAtMs?: number } {
  const spec = deployment.spec;
  const wished = spec?.replicas ?? 1;
  const sets = current ? [current, ...old] : old;
  const total = (of: (set: ASet) => number | undefined) => sets.reduce((sum, set) => sum + (of(set) ?? 0), 0);
  const available = total(({ status }) => status?.availableReplicas);
  const counts = {
    observedGeneration: deployment.metadata.generation ?? 0,
    replicas: total(({ status }) => status?.replicas),
    updatedReplicas: current?.status?.replicas ?? 0,
    readyReplicas: total(({ status }) => status?.readyReplicas),
    availableReplicas: available,
    unavailableReplicas: Math.max(0, total(({ spec: own }) => own?.replicas) - available),
    terminatingReplicas: total(({ status }) => status?.terminatingReplicas),
  };
  const unavailableMax = spec ? rolloutBounds(spec).unavailable : 0;
  const enough = available >= wished - unavailableMax;
  const availability: DeploymentCondition = {
    type: 'Available',
    status: enough ? 'True' : 'False',
    reason: enough ? 'MinimumReplicasAvailable' : 'MinimumReplicasUnavailable',
    message: `${available} of ${wished} replicas are available, ${wished - unavailableMax} must be`,
  };
  const progress = progressOf(deployment, current, counts, nowMs);
  const conditions = [availability, ...(progress ? [progress.condition] : [])].map((next) => stamped(next, deployment, nowMs));
  return { status: { ...counts, conditions }, ...(progress?.deadlineAtMs === undefined ? {} : { deadlineAtMs: progress.deadlineAtMs }) };
}

interface Progress {
  readonly condition: DeploymentCondition;
  readonly deadlineAtMs?: number;
}

function progressOf(
  deployment: Immutable<Deployment>,
  current: ASet | undefined,
  counts: DeploymentStatus,
  nowMs: number,
): Progress | undefined {
  const { spec, status } = deployment;
  const before = status?.conditions?.find(({ type }) => type === 'Progressing');
  const name = current?.metadata.name ?? '';
  if (spec?.paused)
    return { condition: { type: 'Progressing', status: 'Unknown', reason: 'DeploymentPaused', message: 'the deployment is paused' } };
  const wished = spec?.replicas ?? 1;
  const isComplete = counts.updatedReplicas === wished && counts.replicas === wished && counts.availableReplicas === wished;
  if (isComplete) {
    return { condition: { type: 'Progressing', status: 'True', reason: 'NewReplicaSetAvailable', message: `replica set ${name} serves` } };
  }
  const movedAt = new Date(nowMs).toISOString();
  const moving: DeploymentCondition = {
    type: 'Progressing',
    status: 'True',
    reason: 'ReplicaSetUpdated',
    message: `replica set ${name} has ${current?.status?.availableReplicas ?? 0} of ${wished} replicas available`,
    lastUpdateTime: movedAt,
  };
  const deadlineMs = (spec?.progressDeadlineSeconds ?? 600) * 1000;
  if (
    before === undefined ||
    hasMoved(deployment, counts) ||
    before.reason === 'NewReplicaSetAvailable' ||
    before.reason === 'DeploymentPaused'
  ) {
    return { condition: moving, deadlineAtMs: nowMs + deadlineMs };
  }
  if (before.reason === 'ProgressDeadlineExceeded') return { condition: { ...before } };
  const sinceMs = Date.parse(before.lastUpdateTime ?? before.lastTransitionTime ?? movedAt);
  if (nowMs >= sinceMs + deadlineMs) {
    const message = `replica set ${name} has made no progress for ${deadlineMs / 1000} s; see the reasons of its pods`;
    return { condition: { type: 'Progressing', status: 'False', reason: 'ProgressDeadlineExceeded', message } };
  }
  return { condition: { ...moving, lastUpdateTime: before.lastUpdateTime ?? movedAt }, deadlineAtMs: sinceMs + deadlineMs };
}

/** Whether the rollout made progress: the new set grew, old ones shrank, more pods became ready or available, or the spec changed. */
function hasMoved({ metadata, status }: Immutable<Deployment>, next: DeploymentStatus): boolean {
  const count = (value: number | undefined) => value ?? 0;
  const oldBefore = count(status?.replicas) - count(status?.updatedReplicas);
  return (
    (status?.observedGeneration ?? 0) !== (metadata.generation ?? 0) ||
    count(next.updatedReplicas) > count(status?.updatedReplicas) ||
    count(next.replicas) - count(next.updatedReplicas) < oldBefore ||
    count(next.readyReplicas) > count(status?.readyReplicas) ||
    count(next.availableReplicas) > count(status?.availableReplicas)
  );
}

/** Sets a condition's times: the transition time changes with the status, the update time also with the reason. */
function stamped(next: DeploymentCondition, { status }: Immutable<Deployment>, nowMs: number): DeploymentCondition {
  const before = status?.conditions?.find(({ type }) => type === next.type);
  const now = new Date(nowMs).toISOString();
  const isSame = before?.status === next.status && before.reason === next.reason;
  const transition = before?.status === next.status ? (before.lastTransitionTime ?? now) : now;
  const update = next.lastUpdateTime ?? (isSame ? (before?.lastUpdateTime ?? now) : now);
  return { ...next, lastTransitionTime: transition, lastUpdateTime: update };
}
