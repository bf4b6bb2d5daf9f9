import type { Immutable, KubernetesObject } from '@tappaas/sdk';
import { currentPodsOf } from './current-pods.js';

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

/**
 * The first process that has ended so often, and waits to be started again, in the pods that a Deployment makes now. Pods of what was before
 * say nothing of it, and one that ends once in a while is started at once.
 */
export function crashLoopOf(observed: Objects, crashesMax: number): CrashLoop | undefined {
  for (const pod of currentPodsOf(observed)) {
    const { name = '', deletionTimestamp } = pod.metadata;
    if (deletionTimestamp !== undefined) continue;
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
