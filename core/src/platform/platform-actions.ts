import { formatProblem, type Kernel } from '../kernel/kernel.js';
import type { Decision } from '../schedule/decision.js';
import type { Scheduler } from '../schedule/scheduler.js';
import type { Installation } from './installation.js';
import type { Placement, PrimaryCalls } from './workers/calls.js';

/** What is done once for the whole platform, whichever of its processes is asked. */
export type PlatformActions = Pick<PrimaryCalls, 'reload' | 'confirm' | 'replaceWorkers' | 'placements' | 'decisions'>;

export interface PlatformActionParts {
  readonly kernel: Kernel;
  readonly installation: Installation;
  readonly schedulers: () => readonly Scheduler[];
  /** Takes the configuration that is in force now to the other processes. */
  readonly spread: () => Promise<void>;
  readonly replaceWorkers: () => number;
}

const decisionsMax = 1_000;

export function platformActions({ kernel, installation, schedulers, spread, replaceWorkers }: PlatformActionParts): PlatformActions {
  return {
    async reload() {
      const { problems, ...result } = await kernel.reload();
      if (result.outcome === 'applied') await spread();
      return {
        ...result,
        problems: problems.map((problem) => `${formatProblem(problem)}${problem.remedy ? `\n    ${problem.remedy}` : ''}`),
      };
    },
    confirm: () => installation.confirm(),
    replaceWorkers: async () => replaceWorkers(),
    placements: async (application) =>
      schedulers()
        .flatMap((scheduler) => scheduler.decisions(decisionsMax))
        .filter(({ pod }) => pod.name.startsWith(`${application}-`))
        .map(placementOf),
    decisions: async (uids) => uids.map((uid) => firstOf(schedulers(), uid)),
  };
}

/** A pod is of one cluster, so at most one scheduler has decided about it. */
function firstOf(schedulers: readonly Scheduler[], uid: string): Decision | undefined {
  for (const scheduler of schedulers) {
    const decision = scheduler.decision(uid);
    if (decision !== undefined) return decision;
  }
  return undefined;
}

function placementOf({ pod, outcome, chosen, message, refused }: ReturnType<Scheduler['decisions']>[number]): Placement {
  const why = chosen
    ? `best of ${chosen.parts.map(({ plugin, points }) => `${plugin} ${points}`).join(', ') || 'equals'}`
    : refused.map((refusal) => refusal.message).join('; ');
  return { pod: `${pod.namespace}/${pod.name}`, outcome, ...(chosen ? { node: chosen.node } : {}), message: message ?? why };
}
