import { isDeepStrictEqual } from 'node:util';
import type { InstancePlan } from '../plan/instance-plan.js';
import type { Plan } from '../plan/plan.js';
import { makeProblem } from '../errors.js';
import type { Problem } from '../problem.js';

/** The difference between a plan and the running one. */
export interface Difference {
  readonly added: readonly InstancePlan[];
  readonly removed: readonly string[];
  /** Same plugin with another configuration: it may apply it, or is restarted. */
  readonly reconfigured: readonly InstancePlan[];
  /** Must be restarted: it is another plugin, or a need is newly met or no longer met. */
  readonly replaced: readonly InstancePlan[];
  /** Continues unchanged; limits, mode and order may differ, but affect only the generation. */
  readonly kept: readonly InstancePlan[];
  /** There is no difference at all. */
  readonly same: boolean;
}

/** Compares plans; every reload retries `failed` instances. */
export function comparePlans(now: Plan, next: Plan, failed: ReadonlySet<string>): Difference {
  const before = new Map(now.instances.map((instance) => [instance.id, instance]));
  const ids = new Set(next.instances.map(({ id }) => id));
  const kinds = Map.groupBy(next.instances, (instance) =>
    failed.has(instance.id) ? 'replaced' : kindOfChange(before.get(instance.id), instance),
  );
  const order = (plan: Plan) => plan.taps.map(({ plugin, tap }) => [plugin, tap.hook, tap.name]);
  const settings = (plan: Plan) => [
    plan.instances.map(({ id, mode, mayFail, limits }) => [id, mode, mayFail, limits]),
    plan.off.map(({ id }) => id),
  ];
  const removed = now.instances.map(({ id }) => id).filter((id) => !ids.has(id));
  const kept = kinds.get('kept') ?? [];
  return {
    added: kinds.get('added') ?? [],
    removed,
    reconfigured: kinds.get('reconfigured') ?? [],
    replaced: kinds.get('replaced') ?? [],
    kept,
    same:
      kept.length === next.instances.length &&
      removed.length === 0 &&
      isDeepStrictEqual(order(now), order(next)) &&
      isDeepStrictEqual(settings(now), settings(next)) &&
      isDeepStrictEqual(now.sections, next.sections),
  };
}

function kindOfChange(before: InstancePlan | undefined, next: InstancePlan): 'added' | 'kept' | 'reconfigured' | 'replaced' {
  if (before === undefined) return 'added';
  if (before.use !== next.use || before.manifest.id !== next.manifest.id || !isDeepStrictEqual(before.met, next.met)) return 'replaced';
  return isDeepStrictEqual(before.written, next.written) ? 'kept' : 'reconfigured';
}

/** Reports changed files of packages that are running: loaded code stays loaded, so they need a new process. */
export function restartProblems(now: Plan, next: Plan): readonly Problem[] {
  const running = new Map(now.instances.map((instance) => [instance.manifest.package, instance]));
  return next.instances.flatMap((instance) => {
    const before = running.get(instance.manifest.package);
    if (before === undefined || before.source.directory === undefined) return [];
    const sameFiles = before.lock?.integrity === instance.lock?.integrity && before.manifest.version === instance.manifest.version;
    if (sameFiles && isDeepStrictEqual(before.manifest, instance.manifest)) return [];
    const [was, is] = [before.manifest.version, instance.manifest.version];
    const how = was === is ? `${was}, now with other content` : `${was}, now ${is}`;
    const message = `package ${instance.manifest.package} is no longer what was loaded (${how})`;
    return [makeProblem('TAP_RELOAD_NEEDS_RESTART', `plugins.${instance.id}.use`, message)];
  });
}
