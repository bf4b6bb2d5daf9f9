import { formatProblem, type Kernel, type ReloadResult } from '../kernel/kernel.js';
import type { Decision } from '../schedule/decision.js';
import type { Scheduler } from '../schedule/scheduler.js';
import type { Engines } from './engines.js';
import { platformErrors } from './errors.js';
import type { Installation } from './installation.js';
import type { SealingKeys } from './sealing-keys.js';
import { placementsOf } from './placements.js';
import type { PrimaryCalls } from './workers/calls.js';

/** What is done once for the whole platform, whichever of its processes is asked. */
export type PlatformActions = Pick<
  PrimaryCalls,
  'reload' | 'confirm' | 'replaceWorkers' | 'sealingKeys' | 'changeSealingKeys' | 'purge' | 'placements' | 'decisions'
>;

export interface PlatformActionParts {
  readonly kernel: Kernel;
  readonly engines: Pick<Engines, 'all'>;
  readonly installation: Installation;
  readonly sealingKeys: SealingKeys;
  /** Aborts when the platform stops. */
  readonly signal: AbortSignal;
  readonly schedulers: () => readonly Scheduler[];
  /** Takes the configuration that is in force now to the other processes. */
  readonly spread: () => Promise<void>;
  readonly replaceWorkers: () => number;
  /** Hears why the configuration of the files is not the one in force; of nothing when it is, though nothing had to change. */
  readonly tellRefused: (problems: ReloadResult['problems']) => Promise<void>;
}

const decisionsMax = 1_000;

export function platformActions(parts: PlatformActionParts): PlatformActions {
  const { kernel, installation, sealingKeys, schedulers, spread, replaceWorkers, tellRefused } = parts;
  return {
    async reload() {
      const { problems, ...result } = await kernel.reload();
      if (result.outcome === 'applied') await spread();
      else await tellRefused(result.outcome === 'refused' ? problems : []);
      return {
        ...result,
        problems: problems.map((problem) => `${formatProblem(problem)}${problem.remedy ? `\n    ${problem.remedy}` : ''}`),
      };
    },
    confirm: () => installation.confirm(),
    replaceWorkers: async () => replaceWorkers(),
    sealingKeys: async () => sealingKeys.view(),
    changeSealingKeys: (change, keyId) => sealingKeys.change(change, keyId),
    purge: (kind) => purge(parts, kind),
    placements: async (about) => schedulers().flatMap((scheduler) => placementsOf(scheduler.decisions(decisionsMax), about)),
    decisions: async (uids) => uids.map((uid) => firstOf(schedulers(), uid)),
  };
}

/** Every engine that knows the kind forgets it. */
async function purge({ engines, signal }: PlatformActionParts, kind: string): Promise<{ readonly removed: number }> {
  let removed = 0;
  let isKnown = false;
  for (const engine of engines.all.values()) {
    const served = engine.kinds().find(({ plural, group }) => kind === (group === '' ? plural : `${plural}.${group}`));
    if (served === undefined) continue;
    isKnown = true;
    removed += await engine.purge(served, signal);
  }
  if (isKnown) return { removed };
  throw platformErrors.TAP_QUERY_INVALID({
    message: `no kind is called "${kind}"; expected plural.group, such as builds.apps.tappaas.dev`,
  });
}

/** A pod is of one cluster, so at most one scheduler has decided about it. */
function firstOf(schedulers: readonly Scheduler[], uid: string): Decision | undefined {
  for (const scheduler of schedulers) {
    const decision = scheduler.decision(uid);
    if (decision !== undefined) return decision;
  }
  return undefined;
}
