import { type Condition, type Immutable, type Outcome, type ReconcileContext, tenantLabel } from '@tappaas/sdk';
import { limitsOf, names, shown, textOf, type Amounts, type Name } from './amounts.js';
import { Quota, type QuotaObject } from './contract.js';
import { objectsOf } from './objects-of.js';
import { contents, counted, takesUp, usageOf } from './usage.js';

const againAfterMs = 15_000;

/** Reports the present usage in the status. It is informational: limits are enforced by claims. */
export async function countUsage(quota: Immutable<QuotaObject>, context: ReconcileContext<typeof Quota>): Promise<Outcome> {
  const { tenant, namespace } = quota.spec.of;
  const query = tenant === undefined ? { namespace: namespace ?? '' } : { labels: `${tenantLabel}=${tenant}` };
  const used: Partial<Record<Name, number>> = {};
  const limits = limitsOf(quota.spec.limits);
  for (const name of names) if (limits[name] !== undefined) used[name] = 0;
  for (const kind of tenant === undefined ? contents : counted) {
    if (!takesUp(kind, used)) continue;
    for await (const object of objectsOf(context.asPlugin, kind, query)) add(used, usageOf({ ...object, kind: kind.kind }));
  }
  await context.setStatus({ used: shown(used) }, [conditionOf(limits, used)]);
  return { againAfterMs };
}

function add(used: Partial<Record<Name, number>>, amounts: Amounts): void {
  for (const name of names) if (used[name] !== undefined) used[name] += amounts[name] ?? 0;
}

function conditionOf(limits: Amounts, used: Amounts): Condition {
  const over = names.filter((name) => (used[name] ?? 0) > (limits[name] ?? Infinity));
  if (over.length === 0) return { type: 'Ready', status: 'True', reason: 'Within', message: 'all limits hold' };
  const exceeded = over.map((name) => `${name}: ${textOf(name, used[name] ?? 0)} of ${textOf(name, limits[name] ?? 0)}`);
  return { type: 'Ready', status: 'False', reason: 'Exceeded', message: `more is in use than the limits allow: ${exceeded.join(', ')}` };
}
