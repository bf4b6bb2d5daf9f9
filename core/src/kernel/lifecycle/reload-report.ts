import type { ReloadResult } from '../kernel.js';
import type { MetricRegistry } from '../metrics/registry.js';
import type { Plan } from '../plan/plan.js';
import type { Problem } from '../problem.js';
import type { Difference } from './compare-plans.js';
import type { Prepared } from './reload.js';
import type { LifecycleParts } from './lifecycle-parts.js';

const nothing = { added: [], removed: [], turnedOff: [], restarted: [], reconfigured: [] } as const;

export const refused = (problems: readonly Problem[]): ReloadResult => ({ ...nothing, outcome: 'refused', problems });
export const unchanged = (problems: readonly Problem[]): ReloadResult => ({ ...nothing, outcome: 'unchanged', problems });

/** Reports a completed reload as log lines, metric and event. */
export function reportApplied(
  { emit, metrics, log }: LifecycleParts,
  difference: Difference,
  { restarted, reconfigured }: Prepared,
  { problems, off }: Plan,
): ReloadResult {
  const isOff = (id: string) => off.some((instance) => instance.id === id);
  const turnedOff = difference.removed.filter(isOff);
  const added = difference.added.map(({ id }) => id);
  const removed = difference.removed.filter((id) => !isOff(id));
  reloads(metrics).bind({ outcome: 'applied' }).add();
  log.info('the configuration was reloaded', { added, removed, turnedOff, restarted, reconfigured });
  const changes = Object.entries({ added, removed, turnedOff, restarted }).map(([what, ids]) => [what, ids.join(' ')] as const);
  emit({ type: 'platform.reloaded', attributes: Object.fromEntries(changes) });
  return { outcome: 'applied', problems, added, removed, turnedOff, restarted, reconfigured };
}

/** Reports a refused reload, which changed nothing, as log lines, metric and event. */
export function reportRefused({ emit, metrics, log }: LifecycleParts, problems: readonly Problem[]): ReloadResult {
  reloads(metrics).bind({ outcome: 'refused' }).add();
  for (const { code, path, message } of problems) log.error(`reload refused: ${message}`, { code, path });
  const [first] = problems;
  const changes = first === undefined ? '' : `${first.path === '' ? '' : `${first.path}: `}${first.message}`;
  emit({ type: 'platform.reload-refused', attributes: { problems: problems.length, first: changes } });
  return refused(problems);
}

const reloads = (metrics: MetricRegistry) =>
  metrics.counter<'outcome'>({ name: 'tappaas_reloads_total', help: 'Reloads of the configuration.', labels: ['outcome'] });
