import type { Deployment, Immutable, KubernetesObject, Pod } from '@tappaas/sdk';

type Objects = readonly Immutable<KubernetesObject>[];

/** A process that keeps ending instead of running. */
export interface CrashLoop {
  readonly pod: string;
  readonly process: string;
  /** Ends of the same container so far. */
  readonly ends: number;
  readonly exitCode: number;
  /** Such as OOMKilled, where it says more than the exit code. */
  readonly reason: string | undefined;
}

const revision = 'deployment.kubernetes.io/revision';

/**
 * The first process that has ended so often, and waits to be started again, in the pods that a Deployment makes now. Pods of what was before
 * say nothing of it, and one that ends once in a while is started at once.
 */
export function crashLoopOf(observed: Objects, crashesMax: number): CrashLoop | undefined {
  const current = new Set(observed.filter(isDeployment).flatMap((deployment) => currentSetOf(deployment, observed)));
  for (const pod of observed.filter(isPod)) {
    const { ownerReferences = [], name = '', deletionTimestamp } = pod.metadata;
    if (deletionTimestamp !== undefined || !ownerReferences.some(({ uid }) => current.has(uid))) continue;
    for (const { name: process, restartCount, state, lastState } of pod.status?.containerStatuses ?? []) {
      const last = lastState?.terminated;
      const ends = restartCount + 1;
      if (last === undefined || state?.waiting?.reason !== 'CrashLoopBackOff' || ends < crashesMax) continue;
      const reason = last.reason === 'Error' || last.reason === 'Completed' ? undefined : last.reason;
      return { pod: name, process, ends, exitCode: last.exitCode, reason };
    }
  }
  return undefined;
}

export function crashLoopText({ process, ends, exitCode, reason }: CrashLoop, release: string): string {
  const why = reason === undefined ? '' : ` (${reason})`;
  return `process ${process} of release ${release} has ended ${ends} times, the last time with exit code ${exitCode}${why}`;
}

/** The ReplicaSet of the present pod template; none until the Deployment's controller has seen it. */
function currentSetOf({ metadata, status }: Immutable<Deployment>, observed: Objects): readonly string[] {
  if ((status?.observedGeneration ?? 0) < (metadata.generation ?? 0)) return [];
  const number = metadata.annotations?.[revision];
  const isCurrent = ({ kind, metadata: set }: Immutable<KubernetesObject>) =>
    kind === 'ReplicaSet' && set.annotations?.[revision] === number && set.ownerReferences?.some(({ uid }) => uid === metadata.uid);
  return number === undefined ? [] : observed.filter(isCurrent).flatMap(({ metadata: { uid } }) => uid ?? []);
}

const isDeployment = (object: Immutable<KubernetesObject>): object is Immutable<Deployment> => object.kind === 'Deployment';
const isPod = (object: Immutable<KubernetesObject>): object is Immutable<Pod> => object.kind === 'Pod';
