import { setImmediate as turn, setTimeout as wait } from 'node:timers/promises';
import type { Clock, Immutable, Node, Pod, PodTemplate } from '@tappaas/sdk';
import type { Kernel } from '../../kernel/kernel.js';
import { hookedTaps } from '../../schedule/hooked-taps.js';
import { createScheduler } from '../../schedule/scheduler.js';
import { memoryErrors } from './errors.js';

/** The node chosen for a pod, and the results of plugins for each node. */
export interface Placing {
  /** Absent if no node is feasible or a step refused the pod. */
  readonly node?: string;
  /** Reasons of refusal by node; by `''` when a step refused the pod regardless of nodes. */
  readonly rejected: Readonly<Record<string, string>>;
  /** Points of each feasible node, by plugin. */
  readonly scores: Readonly<Record<string, Readonly<Record<string, number>>>>;
}

const schedulerName = 'tappaas';
/** Limit in real time for the taps of one decision. */
const decisionMsMax = 10_000;

/** Schedules one pod onto empty nodes with the taps of the current generation, without binding it. */
export async function placePod(kernel: Kernel, template: PodTemplate, nodes: readonly Node[], random: () => number): Promise<Placing> {
  const pod: Immutable<Pod> = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { namespace: 'default', name: 'pod', uid: 'pod', ...template.metadata },
    spec: { containers: [], ...template.spec, schedulerName },
  };
  let node: string | undefined;
  const scheduler = createScheduler({
    clock: skippingClock(),
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

/** Makes a clock for one decision: a sleep ends in the next turn and advances the time, so that permit steps do not wait. */
function skippingClock(): Clock {
  let nowMs = 0;
  return {
    nowMs: () => nowMs,
    async sleep(ms, signal) {
      await turn(undefined, { signal });
      nowMs += ms;
    },
  };
}
