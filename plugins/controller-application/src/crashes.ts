import type { Immutable, KubernetesObject } from '@tappaas/sdk';
import { currentPodsOf } from './current-pods.js';

type Objects = readonly Immutable<KubernetesObject>[];

/** A process that repeatedly ends instead of running. */
export interface CrashLoop {
  readonly pod: string;
  readonly process: string;
  /** Number of times that the container has ended. */
  readonly ends: number;
  readonly exitCode: number;
  /** The cluster's reason, such as OOMKilled, if it says more than the exit code. */
  readonly reason: string | undefined;
}

/**
 * The first process that has ended at least `crashesMax` times and is in back-off, in the pods of the present Deployments. Pods of earlier
 * releases say nothing about the present one, and a process that ends only occasionally is restarted without back-off.
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
