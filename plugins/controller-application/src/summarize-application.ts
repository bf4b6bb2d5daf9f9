import type { Condition, Deployment, Immutable, KubernetesObject, Observation, Stated } from '@tappaas/sdk';
import type { Application, ApplicationObject } from '@tappaas/sdk/kinds';
import { crashLoopOf, crashLoopText } from './crashes.js';
import { currentPodsOf, isDeployment, isPod } from './current-pods.js';
import { heldRoutes, routedConditions } from './lost-routes.js';
import { defaultCrashesMax, defaultHost } from './place.js';
import { isTask } from './tasks.js';
import { unreadyText } from './unready-pods.js';

type Status = NonNullable<ApplicationObject['status']>;
type Process = Immutable<ApplicationObject>['spec']['processes'][number];
type ProcessStatus = NonNullable<Status['processes']>[number];

/** Derives the status from the cluster's objects: replicas, address, and conditions that name the first obstacle. */
export function summarizeApplication(observation: Observation<typeof Application>): {
  status: Stated<Status>;
  conditions: readonly Condition[];
  failed?: 'stop' | 'rollback';
} {
  const { object, observed, release, facts } = observation;
  const processes = object.spec.processes.map((process) => processStatus(object, process, observed));
  const { isSettled, isFailed, reason, readyReason, waiting } = rolloutOf(observation, processes);
  // An obstacle of a new release does not affect replicas that serve.
  const available = processes.every(({ desired, ready }) => desired === 0 || ready > 0);
  const url = urlOf(observation);
  const served = `release ${release?.name ?? 'unknown'} serves`;
  return {
    status: {
      processes,
      cluster: facts.cluster.name,
      url,
      build: facts.inputs['build'],
    },
    conditions: [
      condition('Ready', isSettled, readyReason, isSettled ? served : waiting),
      condition('Built', true, 'ImageSettled', `image ${facts.inputs['image'] ?? 'unknown'}`),
      available
        ? condition('Available', true, 'ReplicasReady', 'every process that should run has a replica that is ready')
        : condition('Available', false, readyReason, waiting),
      condition('Progressing', !isSettled && !isFailed, reason, isSettled ? served : waiting),
      ...routedConditions(object, facts),
    ],
    ...(isFailed && !isSettled ? { failed: object.spec.rollout?.onFailure === 'Stop' ? ('stop' as const) : ('rollback' as const) } : {}),
  };
}

const condition = (type: string, holds: boolean, reason: string, message: string): Condition => ({
  type,
  status: holds ? 'True' : 'False',
  reason,
  message,
});

/** The progress of a release, and what it waits for. */
interface Rollout {
  readonly isSettled: boolean;
  readonly isFailed: boolean;
  readonly reason: string;
  /** Reason of the condition Ready. */
  readonly readyReason: string;
  readonly waiting: string;
}

function rolloutOf({ object, observed, release }: Observation<typeof Application>, processes: readonly ProcessStatus[]): Rollout {
  const deployments = observed.filter(isDeployment);
  const crashing = crashLoopOf(observed, object.spec.rollout?.crashesMax ?? defaultCrashesMax);
  const obstacle = crashing
    ? { reason: 'CrashLoop', message: crashLoopText(crashing, release?.name ?? 'unknown') }
    : obstacleOf(object, observed);
  const late = processes.find(({ desired, ready, updated }) => ready < desired || updated < desired);
  const unsettled =
    deployments.some(({ metadata, status }) => (status?.observedGeneration ?? 0) < (metadata.generation ?? 0)) ||
    deployments.length < object.spec.processes.filter((process) => !isTask(process)).length;
  const isLate = deployments.some(({ status }) =>
    status?.conditions?.some(({ type, reason }) => type === 'Progressing' && reason === 'ProgressDeadlineExceeded'),
  );
  const isFailed = isLate || crashing !== undefined;
  // A ready replica of the old release does not make the new release ready.
  const leaving = deployments.find(({ status }) => (status?.replicas ?? 0) > (status?.updatedReplicas ?? 0));
  const isSettled = late === undefined && leaving === undefined && !unsettled;
  // Only once the rollout is late: otherwise every normal start would cost an additional status write.
  const unready = isLate ? unreadyText(object, observed) : undefined;
  const because = unready === undefined ? '' : `: ${unready}`;
  const waiting =
    obstacle?.message ??
    (late
      ? `process ${late.name} has ${late.ready} of ${late.desired} replicas ready, ${late.updated} of the new release${because}`
      : leaving
        ? `${leaving.metadata.name} still has replicas of the release before${because}`
        : 'the cluster has not taken the release up yet');
  const reason = isSettled ? 'Serving' : crashing ? 'CrashLoop' : isFailed ? 'RolloutFailed' : 'RollingOut';
  // Ready names the obstacle as its reason; that the rollout is in progress is the reason of Progressing.
  const readyReason = isSettled || isFailed ? reason : (obstacle?.reason ?? reason);
  return { isSettled, isFailed, reason, readyReason, waiting };
}

function processStatus(
  object: Immutable<ApplicationObject>,
  process: Process,
  observed: readonly Immutable<KubernetesObject>[],
): ProcessStatus {
  const deployment = observed.find(
    (found): found is Immutable<Deployment> => isDeployment(found) && found.metadata.name === `${object.metadata.name}-${process.name}`,
  );
  const pods = observed.filter(isPod).filter(({ metadata }) => metadata.labels?.['app.kubernetes.io/component'] === process.name);
  const restarts = pods.flatMap(({ status }) => status?.containerStatuses ?? []).reduce((sum, { restartCount }) => sum + restartCount, 0);
  const { status } = deployment ?? {};
  return {
    name: process.name,
    desired: isTask(process) ? 0 : process.replicas,
    ready: status?.readyReplicas ?? 0,
    updated: status?.updatedReplicas ?? 0,
    restarts,
  };
}

/** Reasons of a container that is starting normally. */
const startingReasons = new Set(['ContainerCreating', 'PodInitializing']);

/** What keeps a pod from running. */
interface Obstacle {
  readonly reason: string;
  readonly message: string;
}

/** Generic reasons, which Kubernetes gives for any pod that is not ready. */
const commonReasons = new Set<string | undefined>(['ContainersNotReady', 'ContainersNotInitialized', 'PodCompleted']);

/** The first obstacle that keeps a pod from running, in the cluster's words, and where to look next. */
function obstacleOf(
  { metadata: { name: application } }: Immutable<ApplicationObject>,
  observed: readonly Immutable<KubernetesObject>[],
): Obstacle | undefined {
  // Pods of the present release first: those of an earlier release describe that release.
  for (const pod of new Set([...currentPodsOf(observed), ...observed.filter(isPod)])) {
    const unscheduled = pod.status?.conditions?.find(({ type, status }) => type === 'PodScheduled' && status === 'False');
    if (unscheduled) {
      const why = unscheduled.message ?? unscheduled.reason ?? 'unknown';
      const next = why.includes('insufficient')
        ? '; let it ask for less (spec.processes[].resources), delete what is not needed, or add a node'
        : '';
      return { reason: unscheduled.reason ?? 'Unschedulable', message: `pod ${pod.metadata.name} has no node: ${why}${next}` };
    }
    for (const { name, state, lastState } of pod.status?.containerStatuses ?? []) {
      const { waiting } = state ?? {};
      if (waiting?.reason === undefined || startingReasons.has(waiting.reason)) continue;
      const detail = waiting.message === undefined ? '' : `: ${waiting.message}`;
      const ended = lastState?.terminated;
      const last =
        ended === undefined ? '' : `; it last ended with exit code ${ended.exitCode}, tappaas logs ${application} shows what it wrote`;
      return { reason: waiting.reason, message: `process ${name} is in ${waiting.reason}${detail}${last}` };
    }
    const { reason, message } = pod.status?.conditions?.find(({ type, status }) => type === 'Ready' && status === 'False') ?? {};
    if (message !== undefined && !commonReasons.has(reason))
      return { reason: reason ?? 'PodNotReady', message: `pod ${pod.metadata.name} is not ready: ${message}` };
  }
  return undefined;
}

function urlOf({ object, facts }: Observation<typeof Application>): string | undefined {
  const [route] = heldRoutes(object, facts);
  if (route === undefined) return undefined;
  const scheme = route.tls ? 'https' : facts.ingress.scheme;
  const usual = scheme === 'https' ? 443 : 80;
  const port = facts.ingress.port === usual ? '' : `:${facts.ingress.port}`;
  const path = route.path === '/' ? '' : route.path;
  return `${scheme}://${route.host ?? defaultHost(object, facts)}${port}${path}`;
}
