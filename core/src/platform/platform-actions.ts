import type { Clock, Logger } from '@tappaas/sdk';
import { formatProblem, type Kernel, type ReloadResult } from '../kernel/kernel.js';
import type { Decision } from '../schedule/decision.js';
import type { RunningScheduler } from './clusters/cluster-scheduler.js';
import type { Engines } from './engines.js';
import type { Installation } from './installation.js';
import { purgeKind } from './purge-kind.js';
import type { SealingKeys } from './sealing/sealing-keys.js';
import { placementsOf } from './clusters/placements.js';
import { settingsReadAtStart } from './settings-read-at-start.js';
import type { PrimaryCalls } from './workers/calls.js';

/** Actions that run once for the whole platform, whichever process receives the request. */
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
  readonly log: Pick<Logger, 'warn'>;
  /** Aborts when the platform stops. */
  readonly signal: AbortSignal;
  readonly schedulers: () => readonly Pick<RunningScheduler, 'scheduler' | 'namespaceOf'>[];
  /** Propagates the configuration in force to the other processes. */
  readonly spread: () => Promise<void>;
  /** Makes every other process drop a purged kind. */
  readonly forgetKind: (kind: string) => Promise<void>;
  /** @throws TAP_WORKER_VERSION */
  readonly replaceWorkers: () => Promise<number>;
  readonly replaceAdminToken: PlatformActions['replaceAdminToken'];
  /** Reports why the configuration files are not in force; an empty list if they are. */
  readonly reportRefused: (problems: ReloadResult['problems']) => Promise<void>;
}

const decisionsMax = 1_000;

export function platformActions(parts: PlatformActionParts): PlatformActions {
  const { kernel, log, installation, sealingKeys, schedulers, spread, forgetKind, replaceWorkers, replaceAdminToken, reportRefused } =
    parts;
  const changedSinceStart = settingsReadAtStart(kernel);
  return {
    async reload() {
      const { problems, ...result } = await kernel.reload();
      if (result.outcome === 'applied') await spread();
      else await reportRefused(result.outcome === 'refused' ? problems : []);
      const atNextStart = result.outcome === 'refused' ? [] : changedSinceStart();
      if (atNextStart.length > 0) {
        log.warn('settings that have changed count from the next start of the platform on', { settings: atNextStart });
      }
      return {
        ...result,
        atNextStart,
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
    async placements(about) {
      const found = schedulers().map(({ scheduler, namespaceOf }) => placementsOf(scheduler.decisions(decisionsMax), about, namespaceOf));
      return (await Promise.all(found)).flat();
    },
    decisions: async (uids) => uids.map((uid) => firstOf(schedulers(), uid)),
  };
}

/** Returns the decision about a pod; a pod belongs to one cluster, so at most one scheduler has decided about it. */
function firstOf(schedulers: ReturnType<PlatformActionParts['schedulers']>, uid: string): Decision | undefined {
  for (const { scheduler } of schedulers) {
    const decision = scheduler.decision(uid);
    if (decision !== undefined) return decision;
  }
  return undefined;
}
