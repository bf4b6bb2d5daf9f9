import type { TapError } from '@tappaas/sdk';
import { families, isTapError } from '@tappaas/sdk';
import { makeProblem } from '../errors.js';
import type { InstancePlan } from '../plan/instance-plan.js';
import type { Problem } from '../problem.js';
import type { ServiceDraft } from '../services/service-registry.js';
import type { Difference } from './compare-plans.js';
import type { Instance } from './instance.js';
import { setUpAll } from './set-up.js';
import { messageOf, startLimitMs } from './start-instance.js';
import { startLevels, type Started } from './start-levels.js';
import type { LifecycleParts } from './lifecycle-parts.js';

/** The prepared result of a reload, before the swap. */
export interface Prepared {
  /** Instances of the next configuration: kept, reconfigured and new ones. */
  readonly instances: readonly Instance[];
  readonly begun: readonly (readonly Started[])[];
  /** Instances to stop once no calls run on them. */
  readonly leaving: ReadonlySet<Instance>;
  readonly restarted: readonly string[];
  readonly reconfigured: readonly string[];
  readonly services: ServiceDraft;
}

/** Thrown when a reload is refused, with the reasons. */
export class ReloadRefused extends Error {
  readonly problems: readonly Problem[];

  constructor(problems: readonly Problem[]) {
    super(problems.map(({ message }) => message).join('; '));
    this.problems = problems;
  }
}

interface Takeover {
  readonly instance: Instance;
  readonly next: InstancePlan;
}

/**
 * Brings the next configuration up beside the running one: offers changed configurations to `onConfig`, and sets up and starts new
 * instances. On any failure everything is undone in reverse, and nothing has changed.
 *
 * @throws ReloadRefused
 */
export async function prepare(
  difference: Difference,
  order: readonly InstancePlan[],
  levels: readonly (readonly string[])[],
  current: ReadonlyMap<string, Instance>,
  lifecycleParts: LifecycleParts,
): Promise<Prepared> {
  const taken: Takeover[] = [];
  try {
    const restarting: InstancePlan[] = [...difference.replaced];
    for (const plan of difference.reconfigured) {
      const instance = current.get(plan.id);
      if (instance !== undefined && (await takesOver(instance, plan.config, instance.plan.config))) taken.push({ instance, next: plan });
      else restarting.push(plan);
    }
    const fresh = [...difference.added, ...restarting];
    const gone = difference.removed.flatMap((id) => current.get(id)?.plan ?? []);
    keepStore([...fresh, ...gone]);
    const leaving = new Set([...restarting.map(({ id }) => id), ...difference.removed].flatMap((id) => current.get(id) ?? []));
    const services = lifecycleParts.services.draft(new Set([...leaving].map(({ scope }) => scope)));
    const { instances, failures } = await setUpAll(fresh, services.view, lifecycleParts);
    if (failures.length > 0) throw new ReloadRefused(failures.map(problemOf));
    const levelled = levels.map((level) => level.flatMap((id) => instances.find((instance) => instance.id === id) ?? []));
    const begun = await startLevels(levelled, lifecycleParts, services, 'the plugins could not be exchanged');
    return {
      instances: order.flatMap(({ id }) => instances.find((instance) => instance.id === id) ?? current.get(id) ?? []),
      begun,
      leaving,
      restarted: restarting.map(({ id }) => id),
      reconfigured: taken.map(({ instance }) => instance.id),
      services,
    };
  } catch (error) {
    for (const { instance, next } of taken.toReversed()) await takesOver(instance, instance.plan.config, next.config);
    if (error instanceof ReloadRefused) throw error;
    throw new ReloadRefused([problemOf(error)]);
  }
}

/** Refuses to replace the store: running components have read it and watch it. */
function keepStore(changing: readonly InstancePlan[]): void {
  const stores = changing.filter(({ manifest }) => manifest.provides.some(({ id }) => id === families.store.id));
  if (stores.length === 0) return;
  throw new ReloadRefused(
    stores.map(({ id }) =>
      makeProblem('TAP_RELOAD_NEEDS_RESTART', `plugins.${id}`, `store ${id} cannot be replaced while the platform runs`),
    ),
  );
}

/** Asks a running plugin to apply its new configuration. A plugin that throws is restarted instead. */
async function takesOver(instance: Instance, next: unknown, previous: unknown): Promise<boolean> {
  const [apply] = instance.record.configs;
  if (apply === undefined || instance.phase !== 'ready') return false;
  try {
    const answer = await instance.guard.callOutside({ name: 'onConfig', limitMs: startLimitMs }, () => apply(next, previous));
    return answer === 'applied';
  } catch (error) {
    instance.scope.log.warn('onConfig failed; the plugin is restarted instead', { error: messageOf(error) });
    return false;
  }
}

/** Converts an error to a problem of the plugin that it names. */
export function problemOf(error: unknown): Problem {
  const reported: TapError | undefined = isTapError(error) ? error : undefined;
  return {
    code: reported?.code ?? 'TAP_PLUGIN_FAILED',
    severity: 'error',
    path: reported?.plugin === undefined ? '' : `plugins.${reported.plugin}`,
    message: messageOf(error),
    ...(reported === undefined ? {} : { remedy: reported.spec.remedy }),
  };
}
