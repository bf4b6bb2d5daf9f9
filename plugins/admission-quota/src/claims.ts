import { type Claim, type ClaimUnit, deny, tenantLabel } from '@tappaas/sdk';
import { names, textOf } from './amounts.js';
import type { LimitBook, Subject } from './limit-book.js';
import { usageOf, type Countable } from './usage.js';

/** The subjects whose limits apply to an object; none for objects in the platform's own namespaces. */
export function subjectsOf({ metadata: { namespace, labels } }: Countable): readonly Subject[] {
  const tenant = labels?.[tenantLabel];
  return [
    ...(namespace === undefined ? [] : [`namespace/${namespace}` as const]),
    ...(tenant === undefined ? [] : [`tenant/${tenant}` as const]),
  ];
}

/**
 * The claims of an object on its namespace and its tenant. They are made even without a limit, so that one can be set
 * at any time.
 */
export function claimsOf(object: Countable, limits: LimitBook): readonly Claim[] {
  const usage = usageOf(object);
  return subjectsOf(object).flatMap((subject) => names.flatMap((name) => claimOf(subject, name, usage[name], limits.of(subject)[name])));
}

const unitOf = (name: (typeof names)[number]): ClaimUnit => (name === 'cpu' ? 'cpuMillis' : name === 'memory' ? 'memoryBytes' : 'count');

function claimOf(subject: Subject, name: (typeof names)[number], amount: number | undefined, limit: number | undefined): readonly Claim[] {
  if (amount === undefined || amount === 0) return [];
  const denial = deny({
    field: name === 'replicas' || name === 'cpu' || name === 'memory' ? 'spec.processes' : 'metadata.name',
    reason: 'QuotaExceeded',
    message: `${subject.replace('/', ' ')} may have ${name} up to ${textOf(name, limit ?? 0)}; this asks for ${textOf(name, amount)}`,
  });
  return [{ counter: `quota/${subject}/${name}`, amount, max: limit ?? Number.MAX_SAFE_INTEGER, unit: unitOf(name), denial }];
}
