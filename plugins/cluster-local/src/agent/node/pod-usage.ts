import type { Clock } from '@tappaas/sdk';
import type { PodSet } from '../pod/pod-set.js';
import { processTable, type ProcessFacts } from '../process/table.js';

/** Resources used by the processes of one container. */
export interface PodUsage {
  readonly namespace: string;
  readonly pod: string;
  readonly container: string;
  /** Mean since the last measurement, in thousandths of a processor. */
  readonly cpuMillis: number;
  readonly memoryBytes: number;
  readonly processes: number;
}

const tickMs = 10;

/** Measures containers by their process groups; all values are 0 on systems without `/proc`. */
export class UsageMeter {
  readonly #pods: PodSet;
  readonly #clock: Clock;
  #before = new Map<number, { readonly ticks: number; readonly atMs: number }>();

  constructor(pods: PodSet, clock: Clock) {
    this.#pods = pods;
    this.#clock = clock;
  }

  async measure(): Promise<readonly PodUsage[]> {
    const groups = Map.groupBy(await processTable(), ({ groupId }) => groupId);
    const after = new Map<number, { readonly ticks: number; readonly atMs: number }>();
    const usages: PodUsage[] = [];
    for (const worker of this.#pods.workers()) {
      for (const [container, group] of worker.groups()) {
        const members = groups.get(group) ?? [];
        const now = { ticks: sum(members, ({ cpuTicks }) => cpuTicks), atMs: this.#clock.nowMs() };
        after.set(group, now);
        const { namespace = '', name: pod = '' } = worker.pod.metadata;
        const memoryBytes = sum(members, (facts) => facts.memoryBytes);
        usages.push({ namespace, pod, container, cpuMillis: millis(this.#before.get(group), now), memoryBytes, processes: members.length });
      }
    }
    this.#before = after;
    return usages;
  }
}

const sum = (members: readonly ProcessFacts[], of: (facts: ProcessFacts) => number): number =>
  members.reduce((total, facts) => total + of(facts), 0);

function millis(
  before: { readonly ticks: number; readonly atMs: number } | undefined,
  now: { readonly ticks: number; readonly atMs: number },
): number {
  const passedMs = before ? now.atMs - before.atMs : 0;
  return before && passedMs > 0 ? Math.max(0, Math.round(((now.ticks - before.ticks) * tickMs * 1000) / passedMs)) : 0;
}
