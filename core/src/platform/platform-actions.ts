import type { Clock } from '@tappaas/sdk';
import { formatProblem, type Kernel, type ReloadResult } from '../kernel/kernel.js';
import type { Decision } from '../schedule/decision.js';
import type { RunningScheduler } from './clusters/cluster-scheduler.js';
import type { Engines } from './engines.js';
import type { Installation } from './installation.js';
import { purgeKind } from './purge-kind.js';
import type { SealingKeys } from './sealing/sealing-keys.js';
import { placementsOf } from './clusters/placements.js';
import type { PrimaryCalls } from './workers/calls.js';

/** What is done once for the whole platform, whichever of its processes is asked. */
export type PlatformActions = Pick<
  PrimaryCalls,
  'reload' | 'confirm' | 'replaceAdminToken' | 'replaceWorkers' | 'sealingKeys' | 'changeSealingKeys' | 'purge' | 'placements' | 'decisions'
>;

export interface PlatformActionParts {
  readonly kernel: Kernel;
  readonly engines: Pick<Engines, 'all'>;
  readonly installation: Installation;
  readonly sealingKeys: SealingKeys;
  readonly clock: Clock;
  /** Aborts when the platform stops. */
  readonly signal: AbortSignal;
  readonly schedulers: () => readonly Pick<RunningScheduler, 'scheduler' | 'namespaceOf'>[];
  /** Takes the configuration that is in force now to the other processes. */
  readonly spread: () => Promise<void>;
  /** Every other process forgets a kind that has been purged. */
  readonly forgetKind: (kind: string) => Promise<void>;
  /** @throws TAP_WORKER_VERSION */
  readonly replaceWorkers: () => Promise<number>;
  readonly replaceAdminToken: PlatformActions['replaceAdminToken'];
  /** Hears why the configuration of the files is not the one in force; of nothing when it is, though nothing had to change. */
  readonly tellRefused: (problems: ReloadResult['problems']) => Promise<void>;
}

const decisionsMax = 1_000;

export function platformActions(parts: PlatformActionParts): PlatformActions {
  const { kernel, installation, sealingKeys, schedulers, spread, forgetKind, replaceWorkers, replaceAdminToken, tellRefused } = parts;
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
    replaceAdminToken,
    replaceWorkers,
    sealingKeys: async () => sealingKeys.view(),
    changeSealingKeys: (change, keyId) => sealingKeys.change(change, keyId),
    purge: async (kind) => {
      const purged = await purgeKind(parts, kind);
      if (purged.isComplete) await forgetKind(kind);
      return purged;
    },
    placements: async (about) =>
      schedulers().flatMap(({ scheduler, namespaceOf }) => placementsOf(scheduler.decisions(decisionsMax), about, namespaceOf)),
    decisions: async (uids) => uids.map((uid) => firstOf(schedulers(), uid)),
  };
}

/** A pod is of one cluster, so at most one scheduler has decided about it. */
function firstOf(schedulers: ReturnType<PlatformActionParts['schedulers']>, uid: string): Decision | undefined {
  for (const { scheduler } of schedulers) {
    const decision = scheduler.decision(uid);
    if (decision !== undefined) return decision;
  }
  return undefined;
}
