import { setImmediate as turn, setTimeout as wait } from 'node:timers/promises';
import type { Clock, Immutable, Node, Pod, PodTemplate } from '@tappaas/sdk';
import type { Kernel } from '../../kernel/kernel.js';
import { hookedTaps } from '../../schedule/hooked-taps.js';
import { createScheduler } from '../../schedule/scheduler.js';
import { memoryErrors } from './errors.js';

/** Where a pod goes among some nodes, and what the plugins said of each. */
export interface Placing {
  /** Absent: none is feasible, or a step refused the pod. */
  readonly node?: string;
  /** Why nodes were refused: by node, and by `''` when a step refused the pod whatever the node. */
  readonly rejected: Readonly<Record<string, string>>;
  /** Points of each feasible node, by plugin. */
  readonly scores: Readonly<Record<string, Readonly<Record<string, number>>>>;
}

const schedulerName = 'tappaas';
/** Real time for the taps of one decision. */
const decisionMsMax = 10_000;

/** Schedules one pod onto nodes that nothing runs on, with the taps of the present generation; nothing is bound. */
export async function placePod(kernel: Kernel, template: PodTemplate, nodes: readonly Node[], random: () => number): Promise<Placing> {
  const pod: Immutable<Pod> = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { namespace: 'default', name: 'pod', uid: 'pod', ...template.metadata },
    spec: { containers: [], ...template.spec, schedulerName },
  };
  let node: string | undefined;
  const scheduler = createScheduler({
    clock: hurriedClock(),
    random,
    taps: hookedTaps(kernel.hooks, kernel.registrations(), { weightOf: () => 1 }),
    bind: async (_, chosen) => {
      node = chosen;
      return 'bound';
    },
  });
  for (const each of nodes) scheduler.nodeChanged(each);
  const { rejected, scored } = scheduler.explain(pod);
  scheduler.podAdded(pod);
  scheduler.start();
  await decided(scheduler.idle());
  await scheduler.stop();
  const decision = scheduler.decision(pod.metadata.uid ?? '');
  const reasons = Object.fromEntries(Object.entries(rejected).map(([name, { message }]) => [name, message]));
  const refused: Record<string, string> =
    node === undefined && scored.length > 0 ? { '': decision?.message ?? 'no decision was made' } : {};
  return {
    ...(node === undefined ? {} : { node }),
    rejected: { ...reasons, ...refused },
    scores: Object.fromEntries(scored.map(({ node: name, parts }) => [name, pointsOf(parts)])),
  };
}

function pointsOf(parts: readonly { readonly plugin: string; readonly points: number }[]): Readonly<Record<string, number>> {
  const points: Record<string, number> = {};
  for (const { plugin, points: given } of parts) points[plugin] = (points[plugin] ?? 0) + given;
  return points;
}

async function decided(idle: Promise<void>): Promise<void> {
  const over = new AbortController();
  const late = wait(decisionMsMax, true, { signal: over.signal }).catch(() => false);
  const isLate = await Promise.race([idle.then(() => false), late]);
  over.abort();
  if (isLate) throw memoryErrors.TAP_SCHEDULE_UNDECIDED({ message: `no decision was made within ${decisionMsMax / 1000} s` });
}

/** A clock for one decision: whoever sleeps on it wakes at the next turn, later by the time asked for, so that a permit is not waited for. */
function hurriedClock(): Clock {
  let nowMs = 0;
  return {
    nowMs: () => nowMs,
    async sleep(ms, signal) {
      await turn(undefined, { signal });
      nowMs += ms;
    },
  };
}
